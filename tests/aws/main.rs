//! `packaging/aws/template.yaml`, read as `CloudFormation` reads it: what linters and the emulator cannot see.

mod documents;
mod functions;
mod parameters;
mod rights;
mod store;
mod template;
mod values;
