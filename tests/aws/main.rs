//! `packaging/aws/`: the template, read as `CloudFormation` reads it, and what of the scripts needs no AWS. Linters and
//! the emulator see none of this.

mod documents;
mod functions;
mod parameters;
mod rights;
mod scripts;
mod store;
mod template;
mod values;
