//! Checks a `status.json` against `docs/status.schema.json`.

use std::cell::RefCell;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

thread_local! {
    static SCHEMA: RefCell<(Schemas, SchemaIndex)> = RefCell::new(compiled());
}

/// The schema.
pub fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/status.schema.json")).unwrap()
}

fn compiled() -> (Schemas, SchemaIndex) {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.enable_format_assertions();
    compiler.add_resource("status", schema()).unwrap();
    let index = compiler.compile("status", &mut schemas).unwrap();
    (schemas, index)
}

/// What is wrong with a status, if anything.
pub fn misfit(status: &Value) -> Option<String> {
    SCHEMA.with_borrow(|(schemas, index)| schemas.validate(status, *index).err().map(|error| format!("{error:#}")))
}
