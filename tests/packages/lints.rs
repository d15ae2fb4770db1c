//! The distributions' own checkers find nothing in the packages, except for what `packaging/` explains.

use crate::dist::{Processor, checkout, ensure, said, shell};
use crate::{Check, Outcome};

pub const CHECKS: &[Check] =
    &[("lintian has nothing against the debs", lintian), ("rpmlint has nothing against the rpms", rpmlint)];

fn lintian() -> Outcome {
    let suppressed = checkout().join("packaging/lintian.txt");
    for processor in Processor::ALL {
        for deb in [processor.deb(), processor.local_deb()] {
            let line = "lintian --allow-root --fail-on error,warning --suppress-tags-from-file \"$2\" \"$1\"";
            let found = said(&mut shell(line, &[&deb, &suppressed]))?;
            ensure(found.is_empty(), || found)?;
        }
    }
    Ok(())
}

fn rpmlint() -> Outcome {
    let settings = checkout().join("packaging/rpmlint.toml");
    for processor in Processor::ALL {
        for rpm in [processor.rpm(), processor.local_rpm()] {
            let found = said(&mut shell("rpmlint --config \"$2\" \"$1\"", &[&rpm, &settings]))?;
            ensure(found.contains("; 0 errors, 0 warnings,") || found.contains(" 0 errors, 0 warnings"), || found)?;
        }
    }
    Ok(())
}
