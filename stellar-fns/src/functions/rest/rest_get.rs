//! `REST_GET`: what a web service says.

use super::asked::{answer, caller, config, failed, url};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::services::rest::{Exchange, Method};

/// See [`DOC`].
pub(crate) struct RestGet;

static DOC: Doc = Doc {
    name: "REST_GET",
    summary: "What a web service answers to GET, if hosts.allowed of stellar.rest.settings in global.json lists its host.",
    parameters: &[
        needs("url", "the service"),
        takes("config", "a map of settings, on top of those of stellar.rest.settings and stellar.rest.get.settings"),
        takes("params", "a map of what is put into the query"),
    ],
    returns: "the value of the JSON that is answered; empty.content.override where there is none; error.value.override, as a rule null, if it failed, which is reported",
    examples: &[
        gives(
            "MAP_GET('query', REST_GET('http://api.example/hosts', {}, {'ip' : '10.0.0.1', 'n' : 2}))",
            "'ip=10.0.0.1&n=2'",
        ),
        gives("REST_GET('http://api.example/missing')", "null"),
        gives("REST_GET('http://api.example/missing', {'error.value.override' : 'none'})", "'none'"),
        gives("REST_GET('no url')", "null"),
        fails("REST_GET('http://api.example/', {'time.out' : 5})"),
    ],
    purity: Purity::Asking,
};

impl Function for RestGet {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        arguments.expect(1, 3)?;
        let caller = caller(context)?;
        let url = url(arguments, 2, context)?;
        let config = config(arguments, 1, Method::Get, &*caller, context)?;
        let url = match url {
            Ok(url) => url,
            Err(failure) => return Ok(failed(DOC.name, &failure, config, context)),
        };
        let exchange = Exchange { method: Method::Get, url, body: String::new(), how: config.how.clone() };
        answer(DOC.name, caller, exchange, config, context)
    }
}
