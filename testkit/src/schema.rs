//! Checks a `status.json` or a `history.json` against its schema in `docs/`.

use std::cell::RefCell;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

thread_local! {
    static STATUS: RefCell<(Schemas, SchemaIndex)> = RefCell::new(compiled(schema()));
    static HISTORY: RefCell<(Schemas, SchemaIndex)> = RefCell::new(compiled(history_schema()));
}

/// The schema of `status.json`.
pub fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/status.schema.json")).unwrap()
}

/// The schema of `history.json`.
pub fn history_schema() -> Value {
    serde_json::from_str(include_str!("../../docs/history.schema.json")).unwrap()
}

fn compiled(schema: Value) -> (Schemas, SchemaIndex) {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.enable_format_assertions();
    compiler.add_resource("it", schema).unwrap();
    let index = compiler.compile("it", &mut schemas).unwrap();
    (schemas, index)
}

/// What is wrong with a status, if anything.
pub fn misfit(status: &Value) -> Option<String> {
    STATUS.with_borrow(|schemas| wrong(schemas, status))
}

/// What is wrong with a history, if anything.
pub fn history_misfit(history: &Value) -> Option<String> {
    HISTORY.with_borrow(|schemas| wrong(schemas, history))
}

fn wrong((schemas, index): &(Schemas, SchemaIndex), value: &Value) -> Option<String> {
    schemas.validate(value, *index).err().map(|error| format!("{error:#}"))
}
