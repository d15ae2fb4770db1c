# What deploy.sh, host.sh and remove.sh share. Plain bash, 3.2 too, and aws-cli 1 or 2; no jq.
# shellcheck shell=bash disable=SC2034 # status and parameters are theirs
set -euo pipefail
export AWS_PAGER="" LC_ALL=C

fail() {
  echo "${0##*/}: $1" >&2
  exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Finds out where and as whom we are: sets `region`, `account` and `partition`. The arguments are read before, since
# help and mistakes in them need no AWS.
identify() {
  local identity
  command -v aws >/dev/null || fail "aws is needed, of version 1.45 or 2.9 at least: see https://aws.amazon.com/cli/"
  region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
  [ -n "$region" ] || fail "no region: set AWS_REGION, such as eu-central-1"
  # The program has a variable for the region in each of its versions: both are set.
  export AWS_REGION=$region AWS_DEFAULT_REGION=$region
  # Both in one call: each takes a second.
  identity=$(aws sts get-caller-identity --query '[Account, Arn]' --output text 2>"$work/error") ||
    fail "AWS does not know you: $(<"$work/error")"
  account=${identity%%$'\t'*}
  partition=${identity#*:}
  partition=${partition%%:*}
}

# Fills `status` (empty: there is no such stack), `outputs` and `parameters`, as lines of name, tab and value.
read_stack() {
  local rows=''
  rows=$(aws cloudformation describe-stacks --stack-name "$STACK" --output text \
    --query "[Stacks[0].['STATUS', StackStatus], Stacks[0].Outputs[].['OUTPUT', OutputKey, OutputValue],
      Stacks[0].Parameters[].['PARAMETER', ParameterKey, ParameterValue]][]" 2>"$work/error") ||
    grep -q 'does not exist' "$work/error" || fail "the stack $STACK cannot be read: $(<"$work/error")"
  status=$(rows_of STATUS "$rows")
  outputs=$(rows_of OUTPUT "$rows")
  parameters=$(rows_of PARAMETER "$rows")
}

# rows_of KIND ROWS
rows_of() {
  awk -v kind="$1" -F '\t' '$1 == kind { print substr($0, length(kind) + 2) }' <<<"$2"
}

# value_of NAME LINES
value_of() {
  awk -F '\t' -v name="$1" '$1 == name { print $2 }' <<<"$2"
}

output() {
  value_of "$1" "$outputs"
}

# A text as JSON.
json() {
  local text=$1
  text=${text//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

# Reads the bucket's notifications but ours into $work/notifications.json, and puts what is given as $1 beside them:
# a list of our own, as JSON. Whoever puts notifications replaces all.
put_notifications() {
  local bus='' query
  if [ "$(aws s3api get-bucket-notification-configuration --bucket "$BUCKET" --expected-bucket-owner "$account" \
    --query "keys(@) && contains(keys(@), 'EventBridgeConfiguration')" --output text)" = True ]; then
    bus=', EventBridgeConfiguration: EventBridgeConfiguration'
  fi
  query="{LambdaFunctionConfigurations: [LambdaFunctionConfigurations[?!($(ours))] || \`[]\`, \`$1\`][],
    QueueConfigurations: QueueConfigurations || \`[]\`, TopicConfigurations: TopicConfigurations || \`[]\`$bus}"
  # Of a bucket without any, the program of version 1 says nothing at all.
  aws s3api get-bucket-notification-configuration --bucket "$BUCKET" --expected-bucket-owner "$account" \
    --query "$query" --output json >"$work/notifications.json"
  [ -s "$work/notifications.json" ] || echo "{\"LambdaFunctionConfigurations\": $1}" >"$work/notifications.json"
  # S3 may know of a new permission to invoke some seconds later; it then cannot "validate the destination".
  local tries=1
  until aws s3api put-bucket-notification-configuration --bucket "$BUCKET" --expected-bucket-owner "$account" \
    --notification-configuration "file://$work/notifications.json" 2>"$work/error"; do
    if [ $tries -ge 5 ] || ! grep -q validate "$work/error"; then
      fail "the notifications of $BUCKET cannot be set: $(<"$work/error")"
    fi
    tries=$((tries + 1))
    sleep 3
  done
}

# notification NAME FUNCTION PREFIX SUFFIX, as S3 takes it.
notification() {
  local rules='{"Name": "prefix", "Value": "'$3'"}'
  [ -z "$4" ] || rules+=', {"Name": "suffix", "Value": "'$4'"}'
  echo "{\"Id\": \"pulse-echo-$STACK-$1\", \"LambdaFunctionArn\": \"$2\", \"Events\": [\"s3:ObjectCreated:*\"],
    \"Filter\": {\"Key\": {\"FilterRules\": [$rules]}}}"
}

# A condition in JMESPath: a notification of this stack, by its id, or to a function that CloudFormation named after it,
# one that has been deleted, too.
ours() {
  local functions=arn:$partition:lambda:$region:$account:function:$STACK
  echo "Id == 'pulse-echo-$STACK-pulse' || Id == 'pulse-echo-$STACK-loop' ||
    starts_with(LambdaFunctionArn, '$functions-Probe-') || starts_with(LambdaFunctionArn, '$functions-Loop-')"
}

# Waits until the stack does nothing any more; fails with what CloudFormation says if that is not $1.
await_stack() {
  local now
  while :; do
    # Of a stack that has gone there is nothing to describe.
    now=$(aws cloudformation describe-stacks --stack-name "$1" --query 'Stacks[0].StackStatus' --output text \
      2>"$work/error") || now=DELETE_COMPLETE
    [ "$now" != DELETE_COMPLETE ] || [ ! -s "$work/error" ] || grep -q 'does not exist' "$work/error" ||
      fail "the stack $STACK cannot be read: $(<"$work/error")"
    case $now in
      *_IN_PROGRESS) sleep 2 ;;
      *) break ;;
    esac
  done
  case $now in
    "$2" | "${3:-$2}") return ;;
  esac
  aws cloudformation describe-stack-events --stack-name "$1" --output text --query \
    "StackEvents[?contains(ResourceStatus, 'FAILED')].[LogicalResourceId, ResourceStatusReason]" >&2 || true
  fail "the stack $STACK is $now: see above"
}

# Takes a user away, with its keys and rights.
remove_user() {
  local each
  for each in $(aws iam list-access-keys --user-name "$1" --query 'AccessKeyMetadata[].AccessKeyId' --output text); do
    aws iam delete-access-key --user-name "$1" --access-key-id "$each"
  done
  for each in $(aws iam list-attached-user-policies --user-name "$1" --output text \
    --query 'AttachedPolicies[].PolicyArn'); do
    aws iam detach-user-policy --user-name "$1" --policy-arn "$each"
  done
  aws iam delete-user --user-name "$1"
}
