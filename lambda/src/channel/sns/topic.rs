//! A topic, parsed from its ARN.

use std::str::FromStr;

/// `arn:PARTITION:sns:REGION:ACCOUNT:NAME`.
pub(super) struct Topic {
    pub(super) arn: String,
    pub(super) region: String,
    partition: String,
}

impl FromStr for Topic {
    type Err = String;

    fn from_str(arn: &str) -> Result<Self, String> {
        let word = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        match arn.split(':').collect::<Vec<_>>().as_slice() {
            ["arn", partition, "sns", region, account, name]
                if [partition, region, account, name].into_iter().all(|part| word(part)) =>
            {
                if name.strip_suffix(".fifo").is_some() {
                    return Err("a FIFO topic reaches queues only, not people; use a standard one".into());
                }
                Ok(Self { arn: arn.into(), region: (*region).into(), partition: (*partition).into() })
            }
            _ => Err("it must be a topic's ARN, such as arn:aws:sns:eu-central-1:123456789012:alerts".into()),
        }
    }
}

impl Topic {
    /// AWS's own address for the topic.
    pub(super) fn endpoint(&self) -> String {
        let cn = if self.partition == "aws-cn" { ".cn" } else { "" };
        format!("https://sns.{}.amazonaws.com{cn}/", self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_knows_its_region_and_where_that_is() {
        for (arn, region, endpoint) in [
            ("arn:aws:sns:eu-central-1:123456789012:alerts", "eu-central-1", "https://sns.eu-central-1.amazonaws.com/"),
            ("arn:aws-cn:sns:cn-north-1:123456789012:a-b_c", "cn-north-1", "https://sns.cn-north-1.amazonaws.com.cn/"),
        ] {
            let topic: Topic = arn.parse().unwrap();
            assert_eq!((topic.region.as_str(), topic.endpoint().as_str()), (region, endpoint));
        }
    }

    #[test]
    fn what_is_no_topic_that_reaches_people_is_refused() {
        for arn in [
            "alerts",
            "arn:aws:sqs:eu-central-1:123456789012:alerts",
            "arn:aws:sns:eu-central-1:123456789012:alerts:5be8f3a1",
            "arn:aws:sns:evil.example/:123456789012:alerts",
            "arn:aws:sns::123456789012:alerts",
        ] {
            assert!(arn.parse::<Topic>().is_err_and(|why| why.starts_with("it must be a topic's ARN")), "{arn}");
        }
        let fifo = "arn:aws:sns:eu-central-1:123456789012:alerts.fifo".parse::<Topic>();
        assert!(fifo.is_err_and(|why| why.starts_with("a FIFO topic")));
    }
}
