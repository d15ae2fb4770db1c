//! The distributions' own checkers find nothing in the packages, except for what `packaging/` explains.

use crate::dist::{Processor, checkout, ensure, said, shell};
use crate::{Check, Outcome};

pub const CHECKS: &[Check] =
    &[("lintian has nothing against the debs", lintian), ("rpmlint has nothing against the rpms", rpmlint)];

fn lintian() -> Outcome {
    let suppressed = checkout().join("packaging/lintian.txt");
    for processor in Processor::ALL {
        let line = "lintian --allow-root --fail-on error,warning --suppress-tags-from-file \"$2\" \"$1\"";
        let found = said(&mut shell(line, &[&processor.deb(), &suppressed]))?;
        ensure(found.is_empty(), || found)?;
    }
    Ok(())
}

fn rpmlint() -> Outcome {
    let settings = checkout().join("packaging/rpmlint.toml");
    for processor in Processor::ALL {
        let found = said(&mut shell("rpmlint --config \"$2\" \"$1\"", &[&processor.rpm(), &settings]))?;
        ensure(found.contains("; 0 errors, 0 warnings,") || found.contains(" 0 errors, 0 warnings"), || found)?;
    }
    Ok(())
}
