//! What linters say of the template, and of each policy in it.

use std::fs::{self, File};
use std::process::Command;

use crate::cloud::{Cloud, checkout, said};
use crate::template::Stack;
use crate::{Outcome, Story, ensure};

pub const STORIES: &[Story] =
    &[("cfn-lint finds nothing in the template", template), ("parliament finds nothing in any policy", policies)];

fn template(cloud: &Cloud) -> Outcome {
    let template = checkout().join("packaging/aws/template.yaml");
    said(&Command::new(cloud.venv.join("bin/cfn-lint")).arg(template).output()?).map(drop)
}

fn policies(cloud: &Cloud) -> Outcome {
    for (name, mut document) in Stack::with_all().policies() {
        // A policy of a resource has a principal, and that resource; parliament knows those of users and roles alone.
        for statement in document["Statement"].as_array_mut().unwrap() {
            statement.as_object_mut().unwrap().remove("Principal");
        }
        let file = cloud.folder.path().join(format!("{name}.json"));
        fs::write(&file, document.to_string())?;
        let output = Command::new(cloud.venv.join("bin/parliament")).stdin(File::open(&file)?).output()?;
        let found = String::from_utf8_lossy(&output.stdout);
        ensure(output.status.success() && found.trim().is_empty(), || format!("{name}: {found}{output:?}"))?;
    }
    Ok(())
}
