//! The OpenAPI document against the routes in the source, and against what a running daemon answers: fields, types, statuses.

use crate::stores::Store;
use crate::world::{APP, Answered, AppClient, BANK, MENU, World, bank_order, order, order_with};
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap()
}

/// Each `.route("PATH", METHOD(…)` of the daemon's doors, as `METHOD PATH`.
fn routes() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let sources = files.chain([format!("{folder}.rs").into()]).map(|path| std::fs::read_to_string(path).unwrap());
    let mut found = BTreeSet::new();
    for source in sources {
        let code = source.split("#[cfg(test)]").next().unwrap();
        for route in code.split(".route(\"").skip(1) {
            let (path, rest) = route.split_once("\", ").unwrap();
            found.insert(format!("{} {path}", rest.split('(').next().unwrap()));
        }
    }
    found
}

#[test]
fn the_document_names_every_route_and_no_other() {
    let document = document();
    let mut named = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        named.extend(methods.as_object().unwrap().keys().map(|method| format!("{method} {path}")));
    }
    assert_eq!(named, routes());
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
}

/// A reference in the document that leads nowhere would make every generated client fail.
#[test]
fn every_reference_leads_somewhere() {
    fn check(document: &Value, value: &Value) {
        match value {
            Value::Object(object) => {
                if let Some(reference) = object.get("$ref") {
                    assert!(resolved(document, value).is_object(), "{reference}");
                }
                object.values().for_each(|value| check(document, value));
            }
            Value::Array(list) => list.iter().for_each(|value| check(document, value)),
            _ => {}
        }
    }
    check(&document(), &document());
}

fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null),
        None => schema,
    }
}

/// What is wrong with a value by its schema: a key that is not named there, or is missing, or is of another type.
fn faults(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let schema = resolved(document, schema);
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
        let tried: Vec<_> = choices.iter().map(|choice| faults(document, choice, value, at)).collect();
        return if tried.iter().any(Vec::is_empty) { Vec::new() } else { tried.concat() };
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    let mut wrong = Vec::new();
    if !kinds.contains(&json!(kind)) {
        wrong.push(format!("{at} is {kind}, not {kinds:?}"));
    }
    if schema.get("enum").is_some_and(|words| !words.as_array().unwrap().contains(value)) {
        wrong.push(format!("{at} is {value}, which is not among its words"));
    }
    if let (Some(object), Some(properties)) = (value.as_object(), schema.get("properties")) {
        for (key, value) in object {
            match properties.get(key) {
                Some(schema) => wrong.extend(faults(document, schema, value, &format!("{at}.{key}"))),
                None => wrong.push(format!("{at}.{key} is not in the document")),
            }
        }
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        wrong.extend(required.filter(|key| !object.contains_key(*key)).map(|key| format!("{at}.{key} is missing")));
    }
    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
        wrong.extend(faults(document, &schema["items"], value, &format!("{at}[{index}]")));
    }
    wrong
}

/// Holds an answer against what the document says of this operation and status.
fn fits(operation: &str, answer: &Answered, expected: u16) {
    let document = document();
    let (method, path) = operation.split_once(' ').unwrap();
    assert_eq!(answer.status.as_u16(), expected, "{operation}: {}", answer.text);
    let said = &document["paths"][path][method]["responses"][expected.to_string()];
    assert!(said.is_object(), "{operation} does not name {expected}");
    if let Some(schema) = said.pointer("/content/application~1json/schema") {
        assert_eq!(faults(&document, schema, &answer.json, "answer"), Vec::<String>::new(), "{operation} {expected}");
    }
}

async fn get(world: &World, path: &str) -> Answered {
    Answered::of(Client::new().get(world.door(path)).send().await.unwrap()).await
}

#[tokio::test]
async fn what_the_daemon_answers_is_what_the_document_says() {
    let world = World::of(Store::sqlite()).set(APP).set(BANK).set(MENU).start().await;
    let app = world.app();
    let taken = app.orders("k-1", &order()).await;
    fits("post /v1/orders", &taken, 201);
    fits("post /v1/orders", &app.orders("k-1", &order()).await, 200);
    fits("post /v1/orders", &app.posts(None, order().to_string()).await, 400);
    fits("post /v1/orders", &AppClient::new(&world.door(""), "no").orders("k-1", &order()).await, 401);
    fits("post /v1/orders", &app.orders("k-2", &json!({})).await, 422);
    fits("post /v1/orders", &app.orders("k-2", &order_with(json!({ "channel": "x" }))).await, 422);
    fits("post /v1/orders", &app.posts(Some("k-2"), "x".repeat(100_000)).await, 413);
    let linked = app.orders("k-4", &bank_order()).await;
    fits("post /v1/orders", &linked, 201);
    assert!(linked.json["qr"].is_object(), "{linked:?}");
    let refused = app.orders("k-3", &order_with(json!({ "package": "NONE" }))).await;
    fits("post /v1/orders", &refused, 201);
    assert!(refused.json["decline"].is_object(), "{refused:?}");
    let id = taken.json["purchaseId"].as_str().unwrap();
    fits("get /v1/orders/{id}", &app.shows(id).await, 200);
    fits("get /v1/orders/{id}", &app.shows("0123456789abcdef").await, 404);
    let event = app.follows(id, None).await.unwrap().next().await.unwrap();
    let document = document();
    let schema = &document["components"]["schemas"]["OrderEvent"];
    assert_eq!(faults(&document, schema, &event.data, "event"), Vec::<String>::new());
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/openapi.json", 200)] {
        fits(&format!("get {path}"), &get(&world, path).await, status);
    }
    assert_eq!(get(&world, "/openapi.json").await.json, document);
    let message = json!({ "id": "m-1", "from": "+84854689521", "to": "9029", "text": "HD" });
    for (body, status) in [(message.clone(), 202), (message, 200), (json!({ "to": "9029" }), 400)] {
        let sent = Client::new().post(world.door("/mo")).body(body.to_string()).send().await.unwrap();
        fits("post /mo", &Answered::of(sent).await, status);
    }
    for (channel, status) in [("bank", 200), ("viettel", 404)] {
        let form = "mTransactionID=1&bankCode=123PVTB&transactionStatus=1&ts=1&checksum=none";
        let sent = Client::new().post(world.door(&format!("/notify/{channel}"))).body(form).send().await.unwrap();
        fits("post /notify/{channel}", &Answered::of(sent).await, status);
    }
    let begins = "sessionId=s-1&phoneNumber=84854689520&serviceCode=*098%23&text=";
    for (path, operation, form, status) in [
        ("/ussd", "post /ussd", begins, 200),
        ("/ussd/aggregator", "post /ussd/{gateway}", "sessionId=s-1&phoneNumber=84854689520&status=Success", 200),
        ("/ussd/aggregator", "post /ussd/{gateway}", "text=1", 400),
        ("/ussd/nobody", "post /ussd/{gateway}", begins, 404),
    ] {
        let sent = Client::new().post(world.door(path)).body(form).send().await.unwrap();
        fits(operation, &Answered::of(sent).await, status);
    }
    fits("get /mo/kannel", &get(&world, "/mo/kannel?from=84854689521&to=1&text=HD").await, 422);
}
