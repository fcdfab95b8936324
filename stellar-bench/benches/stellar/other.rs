//! The same expressions in cel and rhai. The functions that these languages lack are written here the short way, with no checks to speak of.

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::sync::Arc;

use cel::{Context, Program};
use rhai::{AST, Dynamic, Engine, Scope};

use super::expressions::{NUMBERS, TEXTS};

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':', '?', '#']).next().unwrap_or_default()
}

fn in_subnet(ip: &str, subnet: &str) -> bool {
    let (Ok(ip), Some((network, bits))) = (ip.parse::<Ipv4Addr>(), subnet.split_once('/')) else { return false };
    let (Ok(network), Ok(bits)) = (network.parse::<Ipv4Addr>(), bits.parse::<u32>()) else { return false };
    (u32::from(ip) ^ u32::from(network)).checked_shr(32 - bits).unwrap_or(0) == 0
}

fn tld(domain: &str) -> &str {
    psl::suffix_str(domain).unwrap_or_default()
}

fn without_subdomains(domain: &str) -> &str {
    psl::domain_str(domain).unwrap_or_default()
}

/// An expression in cel.
pub(crate) struct Cel {
    source: &'static str,
    program: Program,
    context: Context<'static, 'static>,
}

impl Cel {
    pub(crate) fn new(source: &'static str) -> Self {
        let mut context = Context::default();
        for (name, text) in TEXTS {
            context.add_variable_from_value(name, text);
        }
        for (name, number) in NUMBERS {
            context.add_variable_from_value(name, i64::from(number));
        }
        let added = [
            context.add_function("to_upper", |text: Arc<String>| text.to_uppercase()),
            context.add_function("url_to_host", |url: Arc<String>| host(&url).to_owned()),
            context.add_function("in_subnet", |ip: Arc<String>, subnet: Arc<String>| in_subnet(&ip, &subnet)),
            context.add_function("domain_to_tld", |domain: Arc<String>| tld(&domain).to_owned()),
            context
                .add_function("domain_remove_subdomains", |domain: Arc<String>| without_subdomains(&domain).to_owned()),
        ];
        assert!(added.iter().all(Result::is_ok), "a function can't be added");
        let program = Program::compile(source).expect("an expression of cel");
        let _value = program.execute(&context).expect("a value");
        Self { source, program, context }
    }

    pub(crate) fn run(&self) {
        drop(black_box(self.program.execute(black_box(&self.context))));
    }

    pub(crate) fn compile(&self) {
        drop(black_box(Program::compile(black_box(self.source))));
    }
}

/// An expression in rhai.
pub(crate) struct Rhai {
    source: &'static str,
    engine: Engine,
    program: AST,
    scope: std::cell::RefCell<Scope<'static>>,
}

impl Rhai {
    pub(crate) fn new(source: &'static str) -> Self {
        let mut engine = Engine::new();
        engine.register_fn("upper", |text: &str| text.to_uppercase());
        engine.register_fn("url_to_host", |url: &str| host(url).to_owned());
        engine.register_fn("in_subnet", in_subnet);
        engine.register_fn("domain_to_tld", |domain: &str| tld(domain).to_owned());
        engine.register_fn("domain_remove_subdomains", |domain: &str| without_subdomains(domain).to_owned());
        let mut scope = Scope::new();
        for (name, text) in TEXTS {
            scope.push(name, text.to_owned());
        }
        for (name, number) in NUMBERS {
            scope.push(name, i64::from(number));
        }
        let program = engine.compile_expression(source).expect("an expression of rhai");
        let _value = engine.eval_ast_with_scope::<Dynamic>(&mut scope, &program).expect("a value");
        Self { source, engine, program, scope: scope.into() }
    }

    pub(crate) fn run(&self) {
        let mut scope = self.scope.borrow_mut();
        drop(black_box(self.engine.eval_ast_with_scope::<Dynamic>(&mut scope, black_box(&self.program))));
    }

    pub(crate) fn compile(&self) {
        drop(black_box(self.engine.compile_expression(black_box(self.source))));
    }
}
