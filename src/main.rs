//! Door
fn main() {}
