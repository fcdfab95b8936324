//! `/openapi.json`: the description of this interface, OpenAPI 3.1, written by hand beside what it describes.

use axum::Json;
use serde_json::{Value, json};

pub(super) async fn document() -> Json<Value> {
    Json(description())
}

/// The whole description.
pub(super) fn description() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Model as a service: the master",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Read-only. Every answer carries the leader's epoch in the header Maas-Epoch. Errors are application/problem+json (RFC 9457). Times are RFC 3339, UTC. Fields are only ever added."
        },
        "paths": paths(),
        "components": { "schemas": schemas(), "securitySchemes": {
            "logToken": { "type": "http", "scheme": "bearer", "description": "Only for logs, only from another host, unless the master was started with --http-open" }
        } }
    })
}

fn paths() -> Value {
    json!({
        "/": { "get": plain("console", "The console, a page for a browser", "text/html") },
        "/healthz": { "get": read("healthz", "The process answers", free_object(), &[]) },
        "/readyz": { "get": read("readyz", "200 while this master leads and sees ZooKeeper; 503 with the reason and since when otherwise", free_object(), &["503"]) },
        "/metrics": { "get": plain("metrics", "Prometheus text format", "text/plain") },
        "/openapi.json": { "get": read("openapi", "This description", free_object(), &[]) },
        "/api/v1/status": { "get": read("status", "The service as a whole", one("Service"), &["503"]) },
        "/api/v1/models": { "get": read("models", "Every version, by name and version", list("Model"), &["503"]) },
        "/api/v1/models/{name}/{version}": { "get": with(read("model", "One version", one("Model"), &["400", "404", "503"]), vec![
            path_parameter("name", "The model"), path_parameter("version", "The version"),
        ]) },
        "/api/v1/instances": { "get": with(read("instances", "Instances: live ones, the last that ended, and what others registered", list("Instance"), &["400", "503"]), vec![
            query_parameter("name", "Only of this model", string()), query_parameter("version", "Only of this version", string()),
        ]) },
        "/api/v1/instances/{id}": { "get": with(read("instance", "One instance", one("Instance"), &["404", "503"]), vec![path_parameter("id", "The instance")]) },
        "/api/v1/instances/{id}/logs": { "get": logs() },
        "/api/v1/requests": { "get": with(read("requests", "The newest requests and what became of them, oldest first", list("Request"), &["400", "503"]), vec![
            query_parameter("refused", "Only those refused", json!({ "type": "boolean", "default": false })),
            query_parameter("limit", "The newest so many", json!({ "type": "integer", "minimum": 0, "maximum": 2000, "default": 200 })),
        ]) },
        "/api/v1/requests/{id}": { "get": with(read("request", "One request", one("Request"), &["404", "503"]), vec![path_parameter("id", "The request, as qn-0000000007-1a2")]) },
        "/api/v1/events": { "get": with(read("events", "What happened, oldest first", list("Event"), &["400", "503"]), vec![
            query_parameter("name", "Only of this model", string()), query_parameter("version", "Only of this version", string()),
            query_parameter("after", "Only those after the event of this id", string()),
            query_parameter("limit", "With after the first so many after it, else the newest so many", json!({ "type": "integer", "minimum": 0, "maximum": 10000 })),
        ]) },
        "/api/v1/capacity": { "get": read("capacity", "Room per node, and what waits for it in order", one("Capacity"), &["503"]) },
        "/api/v1/reach": { "get": with(read("reach", "What the port of a registration says to this master, asked once", one("Reach"), &["400", "404", "409", "503"]), vec![
            needed("name", "The model"),
            needed("id", "The registration's node name"),
        ]) },
        "/api/v1/plan": { "post": plan("planByPost"), "put": plan("planByPut") },
    })
}

fn read(id: &str, summary: &str, schema: Value, refusals: &[&str]) -> Value {
    operation(id, summary, "application/json", schema, refusals)
}

fn plain(id: &str, summary: &str, content_type: &str) -> Value {
    operation(id, summary, content_type, string(), &[])
}

fn operation(id: &str, summary: &str, content_type: &str, schema: Value, refusals: &[&str]) -> Value {
    let epoch = json!({ "Maas-Epoch": { "description": "The leader's epoch; 0 while none is known", "schema": { "type": "integer" } } });
    let mut responses = serde_json::Map::new();
    let good = json!({ "description": "Done", "headers": epoch, "content": { content_type: { "schema": schema } } });
    responses.insert("200".to_string(), good);
    for status in refusals {
        let description = match *status {
            "400" => "The question can't be read",
            "401" => "A bearer token is needed",
            "404" => "There is no such thing",
            "409" => "It conflicts with what is there",
            "413" => "The body is too large",
            _ => "This master does not lead, or does not see ZooKeeper",
        };
        let refusal = json!({ "description": description, "headers": epoch, "content": { "application/problem+json": { "schema": one("Problem") } } });
        responses.insert(status.to_string(), refusal);
    }
    json!({ "operationId": id, "summary": summary, "responses": responses })
}

fn with(mut operation: Value, parameters: Vec<Value>) -> Value {
    operation["parameters"] = Value::Array(parameters);
    operation
}

fn logs() -> Value {
    let operation =
        operation("logs", "The end of an instance's output", "text/plain", string(), &["400", "401", "404", "503"]);
    let mut operation = with(
        operation,
        vec![
            path_parameter("id", "The instance"),
            query_parameter(
                "stream",
                "Which output",
                json!({ "type": "string", "enum": ["stdout", "stderr"], "default": "stdout" }),
            ),
            query_parameter(
                "tail",
                "The last so many lines",
                json!({ "type": "integer", "minimum": 0, "default": 200 }),
            ),
            query_parameter(
                "follow",
                "Go on with what is written, until the instance ends",
                json!({ "type": "boolean", "default": false }),
            ),
        ],
    );
    operation["security"] = json!([{}, { "logToken": [] }]);
    operation
}

fn plan(id: &str) -> Value {
    let summary = "What would follow from a request, and why; nothing is done";
    let mut operation = read(id, summary, one("PlanAnswer"), &["400", "404", "409", "413", "503"]);
    operation["requestBody"] =
        json!({ "required": true, "content": { "application/json": { "schema": one("PlanQuestion") } } });
    operation
}

fn path_parameter(name: &str, description: &str) -> Value {
    json!({ "name": name, "in": "path", "required": true, "description": description, "schema": string() })
}

fn query_parameter(name: &str, description: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "query", "required": false, "description": description, "schema": schema })
}

fn needed(name: &str, description: &str) -> Value {
    let mut parameter = query_parameter(name, description, string());
    parameter["required"] = Value::Bool(true);
    parameter
}

fn one(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn list(schema: &str) -> Value {
    json!({ "type": "array", "items": one(schema) })
}

fn string() -> Value {
    json!({ "type": "string" })
}

fn free_object() -> Value {
    json!({ "type": "object" })
}

/// An object of these fields; those whose type allows null may be absent as well.
fn object(description: &str, fields: &[(&str, &str, &str)]) -> Value {
    let mut properties = serde_json::Map::new();
    let mut required = Vec::new();
    for (name, kind, description) in fields {
        let (kind, optional) = match kind.strip_suffix('?') {
            Some(kind) => (kind, true),
            None => (*kind, false),
        };
        let mut schema = field(kind);
        if optional {
            schema = json!({ "anyOf": [schema, { "type": "null" }] });
        } else {
            required.push(Value::from(*name));
        }
        schema["description"] = Value::from(*description);
        properties.insert(name.to_string(), schema);
    }
    json!({ "type": "object", "description": description, "properties": properties, "required": required })
}

fn field(kind: &str) -> Value {
    match kind {
        "string" => string(),
        "integer" => json!({ "type": "integer" }),
        "number" => json!({ "type": "number" }),
        "boolean" => json!({ "type": "boolean" }),
        "time" => json!({ "type": "string", "format": "date-time" }),
        "counts" => json!({ "type": "object", "additionalProperties": { "type": "integer" } }),
        "strings" => json!({ "type": "array", "items": string() }),
        other => match other.strip_suffix("[]") {
            Some(items) => list(items),
            None => one(other),
        },
    }
}

fn schemas() -> Value {
    let mut schemas = serde_json::Map::new();
    let mut add = |name: &str, schema: Value| schemas.insert(name.to_string(), schema);
    add(
        "InstanceState",
        json!({ "type": "string", "enum": ["Requested", "Allocated", "Localizing", "Starting", "Ready", "Unready", "Draining", "Stopped", "Failed"] }),
    );
    add("VersionState", json!({ "type": "string", "enum": ["Starting", "Ready", "Degraded", "Failed", "Stopping"] }));
    add("ReasonCode", json!({ "type": "string", "enum": reason_codes() }));
    add("Action", json!({ "type": "string", "enum": ["ADD", "REMOVE", "SCALE"] }));
    add(
        "Model",
        object(
            "One version",
            &[
                ("name", "string", "The model"),
                ("version", "string", "The version"),
                ("current", "boolean", "Whether callers get it by default"),
                ("managed", "boolean", "Whether our master manages it; false: registered by others"),
                ("desired", "integer", "How many instances are wanted"),
                ("ready", "integer", "How many are registered"),
                ("state", "VersionState", "Where it stands"),
                ("reason_code", "ReasonCode?", "Why, from the fixed list"),
                ("reason", "string?", "Why, for a person"),
                ("restarts", "integer", "Restarts altogether"),
                ("memory_mb", "integer", "Memory of one instance"),
                ("vcores", "integer", "Cores of one instance"),
                ("gpus", "integer", "GPUs of one instance"),
                ("path", "string", "Where the payload lies in the store"),
                ("digest", "string?", "The payload's digest, once known"),
                ("published", "time?", "When it was first asked for"),
                ("by", "string?", "Who asked"),
                ("instances", "Instance[]", "Its instances"),
            ],
        ),
    );
    add(
        "Instance",
        object(
            "One instance",
            &[
                ("id", "string", "The instance"),
                ("name", "string", "The model"),
                ("version", "string", "The version"),
                ("state", "InstanceState", "Where it stands"),
                ("url", "string?", "Where it answers, once known"),
                ("host", "string", "The host it runs on"),
                ("pid", "integer?", "Its runner's process (local)"),
                ("container", "string?", "Its container (YARN, EC2)"),
                ("started", "time?", "When it was started"),
                ("restarts", "integer", "Restarts of its version"),
                ("memory_mb", "integer", "Memory it may use"),
                ("memory_used_mb", "integer?", "Memory it uses"),
                ("reason_code", "ReasonCode?", "Why, from the fixed list"),
                ("reason", "string?", "Why, for a person"),
                ("exit_code", "integer?", "Exit code of the model's process, once it ended"),
            ],
        ),
    );
    add(
        "Amounts",
        object(
            "An amount of each kind of resource",
            &[("memory_mb", "integer", "Memory, MB"), ("vcores", "integer", "Cores"), ("gpus", "integer", "GPUs")],
        ),
    );
    add(
        "Node",
        object(
            "One node's room",
            &[
                ("host", "string", "The node"),
                ("total", "Amounts", "All there is"),
                ("used", "Amounts", "What is given"),
                ("free", "Amounts", "What is left"),
                ("shares_vcores", "boolean", "Instances share the virtual cores: more may be asked for than there are"),
            ],
        ),
    );
    add(
        "Waiting",
        object(
            "A version that waits for room",
            &[
                ("name", "string", "The model"),
                ("version", "string", "The version"),
                ("count", "integer", "How many instances wait"),
                ("reason_code", "ReasonCode", "Why, from the fixed list"),
                ("reason", "string", "Why, for a person"),
            ],
        ),
    );
    add("ReachAnswer", json!({ "type": "string", "enum": ["answers", "refused", "unknown"] }));
    add(
        "Reach",
        object(
            "What a port said",
            &[
                ("id", "string", "The registration's node name"),
                ("url", "string", "The url it registered"),
                ("answer", "ReachAnswer", "Only a refused connection says that nobody is there"),
                ("detail", "string?", "Why it is unknown"),
            ],
        ),
    );
    add(
        "Capacity",
        object(
            "Room per node, and what waits for it",
            &[("nodes", "Node[]", "Each node"), ("waiting", "Waiting[]", "What waits, in order")],
        ),
    );
    add(
        "Leader",
        object(
            "The leader",
            &[
                ("epoch", "integer", "Fencing number of this leadership"),
                ("host", "string", "The host it runs on"),
                ("pid", "integer", "Its process"),
                ("http", "string?", "Its HTTP as others reach it; null when it listens on loopback"),
                ("http_local", "string?", "Its HTTP on its own host"),
                ("version", "string", "Its program version"),
                ("since", "time", "Since when it leads"),
                ("application", "string?", "Its YARN application"),
                ("attempt", "integer?", "That application's attempt"),
            ],
        ),
    );
    add(
        "Service",
        object(
            "The service as a whole",
            &[
                ("leader", "Leader?", "Who leads"),
                ("standbys", "strings", "Who stands by"),
                ("zookeeper", "string", "ZooKeeper's connect string"),
                ("queue_length", "integer", "Requests that wait"),
                ("queue_oldest_s", "number?", "Age of the oldest, s"),
                (
                    "rejected_24h",
                    "integer?",
                    "Messages set aside in 24 hours; null when they are closed to this master",
                ),
                ("models", "counts", "Versions by state"),
                ("instances", "counts", "Instances by state"),
                ("capacity", "Capacity?", "Room and what waits"),
                ("events", "Event[]", "Events of no one version"),
            ],
        ),
    );
    add(
        "Event",
        object(
            "Something that happened",
            &[
                ("id", "string", "Sorts as text in the order of happening"),
                ("time", "time", "When"),
                ("kind", "string", "What, one word in CamelCase"),
                ("name", "string?", "The model"),
                ("version", "string?", "The version"),
                ("instance", "string?", "The instance"),
                ("host", "string?", "Where"),
                ("reason_code", "ReasonCode?", "Why, from the fixed list"),
                ("reason", "string?", "Why, for a person"),
                ("exit_code", "integer?", "Exit code of the model's process"),
                ("request", "string?", "The request that caused it"),
                ("by", "string?", "Who caused it"),
            ],
        ),
    );
    add(
        "Request",
        object(
            "A request and what became of it",
            &[
                ("id", "string", "Queue child and transaction"),
                ("action", "Action", "What was asked"),
                ("name", "string", "Of which model"),
                ("version", "string", "Of which version"),
                ("num_instances", "integer", "How many"),
                ("outcome", "Outcome", "What became of it"),
                ("code", "string?", "From the list of error codes, when refused"),
                ("reason", "string", "The particulars"),
                ("before", "integer", "Wanted before"),
                ("after", "integer", "Wanted after"),
                ("duplicate_of", "string?", "The request it repeats"),
                ("time", "time", "When"),
                ("by", "string?", "Who asked"),
            ],
        ),
    );
    add("Outcome", json!({ "type": "string", "enum": ["accepted", "refused", "duplicate"] }));
    add(
        "Resources",
        object(
            "What one instance needs",
            &[
                ("memory_mb", "integer", "Memory, MB"),
                ("vcores", "integer", "Cores"),
                ("gpus", "integer", "GPUs"),
                ("label", "string", "Node label, empty for any"),
            ],
        ),
    );
    add(
        "PlanQuestion",
        object(
            "A request that is only thought through",
            &[
                ("action", "Action", "What would be asked"),
                ("name", "string", "Of which model"),
                ("version", "string", "Of which version"),
                ("num_instances", "integer", "How many"),
                ("resources", "Resources?", "What each needs"),
            ],
        ),
    );
    add(
        "PlannedStep",
        object(
            "One step",
            &[
                ("step", "string", "launch, stop, kill, unregister, import …"),
                ("name", "string", "The model"),
                ("version", "string", "The version"),
                ("instance", "string?", "The instance, where there is one already"),
                ("reason", "string", "Why"),
            ],
        ),
    );
    add(
        "PlanAnswer",
        object(
            "What would follow",
            &[
                ("verdict", "Verdict", "Whether it fits"),
                ("reason_code", "ReasonCode?", "Why not now, from the fixed list"),
                ("reason", "string?", "Why not now, for a person"),
                ("steps", "PlannedStep[]", "What would follow"),
            ],
        ),
    );
    add("Verdict", json!({ "type": "string", "enum": ["now", "waits", "never"] }));
    add(
        "Problem",
        object(
            "Why there is no answer, RFC 9457",
            &[
                ("type", "string", "The kind of problem, urn:maas:<code>"),
                ("title", "string", "What it is, the same for all of a kind"),
                ("status", "integer", "HTTP status"),
                ("detail", "string", "What, which value, what to do"),
                ("code", "string", "From the list of error codes"),
            ],
        ),
    );
    Value::Object(schemas)
}

fn reason_codes() -> Vec<&'static str> {
    use maas_client::reason::ReasonCode as Code;
    [
        Code::WaitingCapacity,
        Code::NeverFits,
        Code::Importing,
        Code::PayloadUnreadable,
        Code::PayloadChanged,
        Code::ScriptNotStarted,
        Code::ScriptExited,
        Code::NoEndpoint,
        Code::BadEndpoint,
        Code::ProbeFailed,
        Code::OutOfMemory,
        Code::Killed,
        Code::Preempted,
        Code::NodeLost,
        Code::Unregistered,
        Code::CrashLoop,
        Code::Replaced,
        Code::Removed,
    ]
    .map(Code::as_str)
    .to_vec()
}
