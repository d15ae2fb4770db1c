//! A small Systems Manager: it gives parameters, decrypted, to signed requests of AWS's JSON protocol.

use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::server::{Server, answer, header, read_body, read_head, until_closed};
use crate::signature;
use crate::store::{ACCESS_KEY, SECRET_KEY};

/// What it answers when it is asked for a parameter.
#[derive(Clone, Debug)]
pub enum Parameter {
    /// A parameter of this type with this value.
    Of(&'static str, &'static str),
    /// A refusal with this status and this document.
    Refused(u16, Value),
    /// A page that is none of SSM's.
    Strange,
    /// Nothing, until the client hangs up.
    Silence,
}

impl Parameter {
    /// A `SecureString` with this value.
    pub fn secret(value: &'static str) -> Self {
        Self::Of("SecureString", value)
    }
}

/// The service with its parameters.
pub struct Ssm {
    server: Server,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Ssm {
    /// A service with these parameters, in the region us-east-1. It refuses any other name as AWS does.
    pub fn new(parameters: &[(&'static str, Parameter)]) -> Self {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (of_server, parameters) = (asked.clone(), parameters.to_vec());
        let server = Server::new(move |stream, _| serve(stream, &parameters, &of_server));
        Self { server, asked }
    }

    /// What `AWS_ENDPOINT_URL_SSM` is set to.
    pub fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// The names that were asked for in well signed requests.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, parameters: &[(&'static str, Parameter)], asked: &Mutex<Vec<String>>) {
    let head = read_head(&mut stream);
    if head.is_empty() {
        return;
    }
    let body = read_body(&mut stream, &head);
    let (status, document) = match name_in(&head, &body) {
        Err(refusal) => refusal,
        Ok(name) => {
            asked.lock().unwrap().push(name.clone());
            match parameters.iter().find(|(known, _)| *known == name).map(|(_, parameter)| parameter) {
                None => (400, json!({"__type": "ParameterNotFound"})),
                Some(Parameter::Refused(status, document)) => (*status, document.clone()),
                Some(Parameter::Strange) => {
                    let _ = stream.write_all(answer(200, "<html>Sign in</html>").as_bytes());
                    return;
                }
                Some(Parameter::Silence) => return until_closed(stream),
                Some(Parameter::Of(r#type, value)) => {
                    let arn = format!("arn:aws:ssm:us-east-1:123456789012:parameter{name}");
                    let parameter = json!({
                        "ARN": arn, "DataType": "text", "LastModifiedDate": 1_795_248_000.123, "Name": name,
                        "Type": r#type, "Value": value, "Version": 1,
                    });
                    (200, json!({"Parameter": parameter}))
                }
            }
        }
    };
    let _ = stream.write_all(answer(status, &document.to_string()).as_bytes());
}

/// The name that a request asks for, or how a request that is not right is refused.
fn name_in(head: &str, body: &[u8]) -> Result<String, (u16, Value)> {
    let refused = |code: &str, why: &str| (400, json!({"__type": code, "message": why}));
    if header(head, "x-amz-target") != Some("AmazonSSM.GetParameter") {
        return Err(refused("UnknownOperationException", ""));
    }
    if !head.starts_with("POST / HTTP/1.1\r\n") || header(head, "content-type") != Some("application/x-amz-json-1.1") {
        return Err(refused("SerializationException", "not a request of the JSON protocol"));
    }
    let expected = signature::authorization(head, body, (ACCESS_KEY, SECRET_KEY), "us-east-1/ssm");
    let expected = expected.map_err(|why| refused("IncompleteSignatureException", &why))?;
    if header(head, "authorization") != Some(&expected) || !expected.contains(";x-amz-target,") {
        return Err(refused("InvalidSignatureException", "The request signature does not match."));
    }
    let asked: Value = serde_json::from_slice(body).map_err(|_| refused("SerializationException", ""))?;
    match (&asked["Name"], asked["WithDecryption"] == true) {
        (Value::String(name), true) => Ok(name.clone()),
        _ => Err(refused("ValidationException", "an encrypted value is of no use")),
    }
}
