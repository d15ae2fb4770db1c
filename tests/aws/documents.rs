//! What the pages say of the template.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::template::{Stack, whole};

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// README and all pages.
fn pages() -> String {
    let folder = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap();
    let pages =
        folder.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "md"));
    pages.map(|path| fs::read_to_string(path).unwrap()).chain([page("README.md")]).collect()
}

#[test]
fn each_variable_of_the_functions_is_explained() {
    let pages = pages();
    for name in ["Probe", "Loop"] {
        let resources = Stack::new(&[]).resources();
        let variables = resources[name]["Properties"]["Environment"]["Variables"].as_object().unwrap();
        for variable in variables.keys() {
            assert!(pages.contains(&format!("`{variable}`")), "no page explains {variable}");
        }
    }
}

#[test]
fn the_page_has_each_parameter_and_no_other() {
    let page = page("docs/aws.md");
    let rows = page.lines().skip_while(|line| !line.starts_with("| parameter |")).skip(2);
    let named: BTreeSet<_> =
        rows.take_while(|line| line.starts_with('|')).map(|row| row.split('`').nth(1).unwrap()).collect();
    let template = whole();
    let parameters: BTreeSet<_> = template["Parameters"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(named, parameters);
}

#[test]
fn the_lines_for_terraform_give_only_parameters_and_outputs_that_are_there_and_all_that_are_needed() {
    let page = page("docs/aws.md");
    let block = page.split("```hcl\n").nth(1).expect("the page has lines for Terraform").split("```").next().unwrap();
    let template = whole();
    let parameters = block.split("parameters = {").nth(1).unwrap().split('}').next().unwrap();
    let given: BTreeSet<_> = parameters.lines().filter_map(|line| Some(line.split_once('=')?.0.trim())).collect();
    for name in &given {
        assert!(template["Parameters"].get(name).is_some(), "{name}");
    }
    for (name, parameter) in template["Parameters"].as_object().unwrap() {
        assert!(parameter.get("Default").is_some() || given.contains(name.as_str()), "{name} is not given");
    }
    for output in block.split("outputs[\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(template["Outputs"].get(output).is_some_and(Value::is_object), "{output}");
    }
    assert!(block.contains("capabilities  = [\"CAPABILITY_IAM\"]"), "{block}");
}
