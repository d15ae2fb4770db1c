//! What aws-cli's settings say of the endpoint: its switches, the form of its addresses, and AWS's other addresses of
//! S3, FIPS and dual-stack. An endpoint that is given comes first.

use super::Sources;
use crate::credentials::is_true;
use pulse_echo_core::store::endpoint;

impl Sources<'_> {
    /// The address for `region`, if it is not the usual one. The error names a setting that pulse-echo does not follow.
    pub(super) fn variant(&self, region: &str, is_fips_region: bool) -> Result<Option<String>, String> {
        let is_fips = is_fips_region || self.is_on("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")?;
        let of_s3 = self.profile.s3_setting("use_dualstack_endpoint")?.is_some_and(|value| is_true(&value));
        let is_dual_stack = of_s3 || self.is_on("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")?;
        self.profile.is_not_accelerated()?;
        Ok((is_fips || is_dual_stack).then(|| endpoint::of_aws(region, is_fips, is_dual_stack)))
    }

    /// aws-cli's switch for the endpoints in its own variables and files.
    pub(super) fn ignores_configured_endpoints(&self) -> bool {
        let variable = self.environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
        // Without this setting, a file that cannot be read is not needed.
        let of_profile = || self.profile.setting("ignore_configured_endpoint_urls").ok().flatten();
        let value = variable.or_else(of_profile);
        value.is_some_and(|value| is_true(&value))
    }

    /// What the profile says of `path_style`, in aws-cli's words.
    pub(super) fn profile_path_style(&self) -> Option<bool> {
        // A file that cannot be read is not needed for this.
        match self.profile.s3_setting("addressing_style").ok()??.as_str() {
            "path" => Some(true),
            "virtual" => Some(false),
            _ => None,
        }
    }

    /// A switch in aws-cli's words: the variable's, else the profile's.
    fn is_on(&self, variable: &str, setting: &str) -> Result<bool, String> {
        let in_environment = self.environment.get(variable);
        let value = in_environment.map_or_else(|| self.profile.setting(setting), |value| Ok(Some(value)))?;
        Ok(value.is_some_and(|value| is_true(&value)))
    }
}

/// The region without the marks of FIPS that older settings have (`fips-us-gov-west-1`), and whether it had one.
pub(super) fn without_fips(region: &str) -> (String, bool) {
    let bare = region.replace("fips-", "").replace("-fips", "");
    let had_one = bare != region;
    (bare, had_one)
}
