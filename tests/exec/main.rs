//! `exec`: jobs that fail, hang, are killed and mended; what they say, and to whom; with the real store and probe.

mod ends;
mod files;
mod site;
mod streams;
