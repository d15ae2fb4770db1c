//! What keeps the function from starting, told to Lambda: else its log and its metrics say only "exit status 1".

use std::time::Duration;

use pulse_echo_core::http::{self, SystemResolver, Trust};
use serde_json::json;

use crate::error::Error;

/// How long it may take; Lambda is on this machine.
const LIMIT: Duration = Duration::from_secs(2);

/// Posts the error to the Runtime API at `runtime_api`, a host and a port. If that fails there is nobody to tell.
pub fn report(runtime_api: &str, error: &Error) {
    // Made as the clients of the store are: another kind of client would be more to start with each time.
    let config = http::config().timeout_global(Some(LIMIT)).build();
    let agent = http::agent(config, &Trust::built_in(), SystemResolver::default());
    let word = error.kind.word();
    let body = json!({"errorType": word, "errorMessage": error.message, "stackTrace": []}).to_string();
    let post = agent.post(format!("http://{runtime_api}/2018-06-01/runtime/init/error"));
    let _ = post.header("lambda-runtime-function-error-type", word).content_type("application/json").send(body);
}
