//! AWS's query protocol: the request is a form, and an error comes as XML.

use std::time::Instant;

use pulse_echo_core::xml;

use super::Service;
use crate::web::{Answer, Missed};

/// Calls the service with `form`.
pub(crate) fn call(service: &Service, form: &str, deadline: Instant) -> Result<(), Missed> {
    let content_type = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let answer = service.post(&[content_type], form, deadline)?;
    if answer.status() == 200 { Ok(()) } else { Err(refusal(answer)) }
}

/// The service's refusal: `<Code>` and the first line of `<Message>`. Further lines may repeat the session token.
fn refusal(mut answer: Answer) -> Missed {
    let text = answer.text().unwrap_or_default();
    let first_line = |name| Some(xml::element(&text, name)?.lines().next()?.trim().to_string());
    match (first_line("Code"), first_line("Message")) {
        (Some(code), _) if code.starts_with("Throttl") => {
            Missed { for_good: false, ..answer.refusal(&format!("throttled ({code})")) }
        }
        // A topic that is gone, or a key that is off, may be mended; what is wrong with the parameters stays so.
        (Some(code), Some(message)) => {
            let refusal = answer.refusal(&format!("{code}: {message}"));
            Missed { for_good: refusal.for_good && is_about_parameters(&code), ..refusal }
        }
        (code, _) => answer.refusal(&code.unwrap_or_default()),
    }
}

fn is_about_parameters(code: &str) -> bool {
    code.starts_with("InvalidParameter") || code == "ValidationError"
}
