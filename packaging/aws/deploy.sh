#!/usr/bin/env bash
# Deploys pulse-echo to AWS, or changes what is deployed. docs/aws.md tells the whole.
#
#   deploy.sh BUCKET=my-pulses [NAME=VALUE …]
#
#   BUCKET       the bucket for pulses and echoes; one that exists is taken as it is
#   STACK        the stack's name (pulse-echo)
#   SLACK_URL, WEBHOOK_URL, WEBHOOK_SECRET, HEARTBEAT_URL, EMAIL, TICK_S    where and how often people are told
#   PAGERDUTY_KEY, ALERTMANAGER_URL, NTFY_URL, NTFY_TOKEN                   likewise
#   DRIVER       schedule or queue
#   ARCH         arm64 or x86_64
#   TAGS         tags of all that is made, such as team=ops,cost=42
#   CODE_BUCKET  the bucket for the functions' zip; without it, one of the account's own
#   ZIP          the functions' zip; without it, the one beside this script, else it is built
#   DRY          1: shows what would change, and changes nothing
#
# Each may come from the environment, too. What is not given stays as it is. Any parameter of template.yaml may be given
# by its own name, such as ProbeAllow=10.0.0.0/8.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=packaging/aws/common.sh
. "$here/common.sh"

given=''
known=$(sed -n '/^Parameters:/,/^Rules:/s/^  \([A-Za-z]*\):$/\1/p' "$here/template.yaml")

give() {
  grep -qx "$1" <<<"$known" || fail "there is no parameter $1; there are: $(tr '\n' ' ' <<<"$known")"
  given+="$1"$'\t'"$2"$'\n'
}

for argument in "$@"; do
  case $argument in
    BUCKET=* | STACK=* | SLACK_URL=* | WEBHOOK_URL=* | WEBHOOK_SECRET=* | HEARTBEAT_URL=* | EMAIL=* | TICK_S=* | \
      PAGERDUTY_KEY=* | ALERTMANAGER_URL=* | NTFY_URL=* | NTFY_TOKEN=* | \
      DRIVER=* | ARCH=* | TAGS=* | CODE_BUCKET=* | ZIP=* | DRY=*)
      printf -v "${argument%%=*}" %s "${argument#*=}"
      ;;
    BucketName=* | CodeBucket=* | CodeKey=* | Architecture=*)
      fail "give BUCKET, CODE_BUCKET, ZIP or ARCH instead of ${argument%%=*}"
      ;;
    [A-Z]*=*) give "${argument%%=*}" "${argument#*=}" ;;
    -h | --help) sed -n '2,/^here=/{s/^# \{0,1\}//;/^here=/d;p;}' "$0" && exit ;;
    *) fail "$argument is not NAME=VALUE; --help lists the names" ;;
  esac
done
while read -r variable parameter; do
  [ -z "${!variable-}" ] || give "$parameter" "${!variable}"
done <<'LIST'
SLACK_URL SlackUrl
WEBHOOK_URL WebhookUrl
WEBHOOK_SECRET WebhookSecret
HEARTBEAT_URL HeartbeatUrl
PAGERDUTY_KEY PagerDutyKey
ALERTMANAGER_URL AlertmanagerUrl
NTFY_URL NtfyUrl
NTFY_TOKEN NtfyToken
EMAIL AlertEmail
TICK_S TickSeconds
DRIVER Driver
LIST
STACK=${STACK:-pulse-echo}
DRY=${DRY:-}
grep -qE '^[A-Za-z][A-Za-z0-9-]{0,127}$' <<<"$STACK" ||
  fail "STACK=$STACK: a stack's name has letters, digits and hyphens, and begins with a letter"

identify
read_stack
case $status in
  '' | REVIEW_IN_PROGRESS) type=CREATE parameters='' ;;
  ROLLBACK_COMPLETE | ROLLBACK_FAILED | DELETE_FAILED)
    fail "the stack $STACK is $status and cannot be changed; take it away first: $here/remove.sh STACK=$STACK"
    ;;
  *_IN_PROGRESS) fail "the stack $STACK is $status: wait until that has ended" ;;
  *) type=UPDATE ;;
esac

# The bucket.
before=$(value_of BucketName "$parameters")
BUCKET=${BUCKET:-$before}
[ -n "$BUCKET" ] || fail "which bucket? Give BUCKET=my-pulses"
if [ "$BUCKET" != "${before:-$BUCKET}" ]; then
  fail "the stack $STACK watches the bucket $before: for $BUCKET give another STACK, or remove this one first"
fi
if head=$(aws s3api head-bucket --bucket "$BUCKET" --expected-bucket-owner "$account" 2>&1); then
  exists=yes
  place=$(aws s3api get-bucket-location --bucket "$BUCKET" --query LocationConstraint --output text)
  case $place in None | null | '') place=us-east-1 ;; EU) place=eu-west-1 ;; esac
  [ "$place" = "$region" ] ||
    fail "the bucket $BUCKET is in $place, and this is $region: set AWS_REGION=$place, or take another bucket"
else
  exists=no
  case $head in
    *404* | *NoSuchBucket*) ;;
    *301* | *400*) fail "the bucket $BUCKET is in another region than $region: set AWS_REGION, or take another name" ;;
    *403*) fail "the bucket $BUCKET is of another account than $account, or closed to you: take another name" ;;
    *) fail "the bucket $BUCKET cannot be looked at: $head" ;;
  esac
fi
create=$(value_of CreateBucket "$given")
create=${create:-$(value_of CreateBucket "$parameters")}
if [ -z "$create" ]; then
  if [ $exists = yes ]; then create=no; else create=yes; fi
  give CreateBucket $create
fi
if [ "$create" = no ] && [ $exists = no ]; then
  fail "there is no bucket $BUCKET: leave CreateBucket=no out, and it is made"
fi
give BucketName "$BUCKET"

# overlaps OTHER-PREFIX OTHER-SUFFIX PREFIX SUFFIX: whether one key can have both.
overlaps() {
  [[ $1 == "$3"* || $3 == "$1"* ]] && [[ $2 == *"$4" || $4 == *"$2" ]]
}

# S3 takes no two notifications for one key; a stranger's comes first.
if [ "$create" = no ]; then
  aws s3api get-bucket-notification-configuration --bucket "$BUCKET" --expected-bucket-owner "$account" --output text \
    --query "[LambdaFunctionConfigurations[?!($(ours))] || \`[]\`, QueueConfigurations || \`[]\`,
      TopicConfigurations || \`[]\`][][].[Id, join(' ', Events),
      join('', Filter.Key.FilterRules[?Name == 'prefix' || Name == 'Prefix'].Value || \`[]\`),
      join('', Filter.Key.FilterRules[?Name == 'suffix' || Name == 'Suffix'].Value || \`[]\`)]" >"$work/strangers"
  while IFS=$'\037' read -r id events prefix suffix; do
    case $events in *ObjectCreated*) ;; *) continue ;; esac
    if overlaps "$prefix" "$suffix" pulse/ '' || overlaps "$prefix" "$suffix" loop/ .lambda; then
      fail "the bucket $BUCKET has the notification \"$id\" for \"$prefix…$suffix\", which overlaps pulse/
  or loop/….lambda: S3 takes no two for one key; remove that notification, or take another bucket"
    fi
  done < <(tr '\t' '\037' <"$work/strangers")
fi

# The functions' zip.
arch=${ARCH:-$(value_of Architecture "$parameters")}
arch=${arch:-arm64}
give Architecture "$arch"
case $arch in
  arm64) machine=183 ;;
  x86_64) machine=62 ;;
  *) fail "ARCH=$arch: it is arm64 or x86_64" ;;
esac
if [ -z "${ZIP:-}" ]; then
  for ZIP in "$here"/pulse-echo-lambda-*-"$arch.zip"; do :; done
  if [ ! -e "$ZIP" ] && [ -e "$here/../lambda-zip.sh" ]; then
    echo "building the functions for $arch (minutes at first)"
    ZIP=$work/lambda.zip
    "$here/../lambda-zip.sh" "$arch" "$ZIP"
  fi
fi
[ -e "$ZIP" ] || fail "there is no $ZIP: give ZIP="
command -v unzip >/dev/null || fail "unzip is needed"
mode=$(unzip -Z "$ZIP" bootstrap 2>/dev/null | awk '$NF == "bootstrap" { print $1 }') || true
case $mode in
  -r?xr?xr?x) ;;
  '') fail "$ZIP holds no bootstrap: take the zip that make dist makes" ;;
  *) fail "bootstrap in $ZIP is $mode, so Lambda cannot run it: chmod 755 bootstrap, then zip it again" ;;
esac
# The program's own header: for which processor it is, and whether it asks for a loader (a segment of type 3).
bytes=()
while read -r -a line; do bytes+=("${line[@]}"); done < <(
  { unzip -p "$ZIP" bootstrap 2>/dev/null || true; } | head -c 4096 | od -An -v -tu1
)
number() { # OFFSET LENGTH, the lowest byte first
  local i value=0
  for ((i = $2 - 1; i >= 0; i--)); do value=$((value * 256 + ${bytes[$1 + i]:-0})); done
  echo $value
}
[ "${bytes[*]:0:4}" = "127 69 76 70" ] || fail "bootstrap in $ZIP is no program for Linux"
[ "$(number 18 2)" = $machine ] || fail "bootstrap in $ZIP is not for $arch: give ARCH= or another ZIP="
for ((i = 0, at = $(number 32 4), size = $(number 54 2), count = $(number 56 2); i < count; i++)); do
  [ "$(number $((at + i * size)) 4)" != 3 ] ||
    fail "bootstrap in $ZIP is not static, and Lambda may lack its libraries: take the zip that make dist makes"
done

# It goes under its hash into the code bucket: one in the account's own namespace, where the program knows of it.
if [ -z "${CODE_BUCKET:-}" ]; then
  CODE_BUCKET=$(value_of CodeBucket "$parameters")
fi
namespace=()
if [ -z "$CODE_BUCKET" ]; then
  CODE_BUCKET=pulse-echo-code-$account-$region
  if [[ $(aws s3api create-bucket --generate-cli-skeleton) == *BucketNamespace* ]]; then
    CODE_BUCKET+=-an
    namespace=(--bucket-namespace account-regional)
  fi
fi
if command -v sha256sum >/dev/null; then sum=$(sha256sum "$ZIP"); else sum=$(shasum -a 256 "$ZIP"); fi
key=pulse-echo-lambda/${sum%% *}-$arch.zip
give CodeBucket "$CODE_BUCKET"
give CodeKey "$key"
if [ -z "$DRY" ]; then
  if ! head=$(aws s3api head-bucket --bucket "$CODE_BUCKET" --expected-bucket-owner "$account" 2>&1); then
    case $head in
      *404* | *NoSuchBucket*) ;;
      *) fail "the code bucket $CODE_BUCKET cannot be used: give another CODE_BUCKET. $head" ;;
    esac
    # us-east-1 is no constraint: the API refuses it.
    where=()
    [ "$region" = us-east-1 ] || where=(--create-bucket-configuration "LocationConstraint=$region")
    aws s3api create-bucket --bucket "$CODE_BUCKET" ${namespace[@]+"${namespace[@]}"} ${where[@]+"${where[@]}"} \
      >/dev/null
    echo "made the bucket $CODE_BUCKET for the functions' code"
  fi
  object=(--bucket "$CODE_BUCKET" --key "$key" --expected-bucket-owner "$account")
  aws s3api head-object "${object[@]}" >/dev/null 2>&1 ||
    aws s3api put-object "${object[@]}" --body "$ZIP" >/dev/null
fi

# Secrets go by a file of one's own, never by the command line, where everybody sees them.
{
  echo '['
  separator=
  while read -r name; do
    # The last one counts.
    if grep -q "^$name	" <<<"$given"; then
      value=$(value_of "$name" "$given" | tail -n 1)
      printf '%s{"ParameterKey": "%s", "ParameterValue": %s}\n' "$separator" "$name" "$(json "$value")"
    elif grep -q "^$name	" <<<"$parameters"; then
      printf '%s{"ParameterKey": "%s", "UsePreviousValue": true}\n' "$separator" "$name"
    else
      continue
    fi
    separator=,
  done <<<"$known"
  echo ']'
} >"$work/parameters.json"
tags=()
if [ -n "${TAGS:-}" ]; then
  tags=(--tags)
  while IFS= read -r -d , tag; do
    [[ $tag == ?*=* ]] || fail "TAGS=$TAGS: each is NAME=VALUE, with commas between them"
    tags+=("Key=${tag%%=*},Value=${tag#*=}")
  done <<<"$TAGS,"
fi
set=pulse-echo-$(date +%Y%m%d-%H%M%S)-$$
aws cloudformation create-change-set --stack-name "$STACK" --change-set-name "$set" --change-set-type $type \
  --template-body "file://$here/template.yaml" --parameters "file://$work/parameters.json" \
  --capabilities CAPABILITY_IAM ${tags[@]+"${tags[@]}"} >/dev/null
forget() {
  if [ $type = CREATE ]; then
    # A stack that only ever had a change set.
    aws cloudformation delete-stack --stack-name "$STACK"
  else
    aws cloudformation delete-change-set --stack-name "$STACK" --change-set-name "$set"
  fi
}
while :; do
  IFS=$'\t' read -r made why < <(aws cloudformation describe-change-set --stack-name "$STACK" --change-set-name "$set" \
    --query '[Status, StatusReason]' --output text)
  case $made in
    *_COMPLETE) break ;;
    FAILED)
      forget
      case $why in
        *"didn't contain changes"* | *"No updates"*) type=NONE && break ;;
        *) fail "CloudFormation refuses this: $why" ;;
      esac
      ;;
  esac
  sleep 1
done

if [ $type = NONE ]; then
  echo "the stack $STACK is as it should be: nothing changes"
else
  # At last the properties whose change always replaces, even where their values are not known yet.
  aws cloudformation describe-change-set --stack-name "$STACK" --change-set-name "$set" --output text \
    --query "Changes[].ResourceChange.[Action, Replacement || '-', ResourceType, LogicalResourceId,
      join(' ', Details[?Target.RequiresRecreation == 'Always'].Target.Name || \`[]\`)]" >"$work/changes"
  { printf 'ACTION\tREPLACED\tTYPE\tNAME\n' && sort "$work/changes"; } |
    awk -F '\t' '{ sub(/^None$/, "-", $2); printf "%-8s %-12s %-34s %s\n", $1, $2, $3, $4 }'
  replaced=$(awk -F '\t' '$3 ~ /^AWS::(S3::Bucket|SQS::Queue)$/ && ($2 == "True" || $2 == "Conditional" && $5 != "") {
    print $4 }' "$work/changes")
  if [ -n "$replaced" ]; then
    forget
    fail "this would replace $replaced, and lose what is in it: deploy it as another STACK, then remove this one"
  fi
  if [ -n "$DRY" ]; then
    forget
    echo "DRY=$DRY: nothing was changed"
    exit
  fi
  aws cloudformation execute-change-set --stack-name "$STACK" --change-set-name "$set"
  echo "CloudFormation changes the stack $STACK (a minute or two)"
  await_stack "$STACK" CREATE_COMPLETE UPDATE_COMPLETE
fi
[ -z "$DRY" ] || exit 0
read_stack

if [ "$create" = no ]; then
  put_notifications "[$(notification pulse "$(output ProbeArn)" pulse/ ''),
    $(notification loop "$(output LoopArn)" loop/ .lambda)]"
  echo "the bucket $BUCKET was there: its notifications are kept, ours are beside them. Yours to set:
  days until old answers go: aws s3api put-bucket-lifecycle-configuration, 35 days for echo/, fault/ and retire/
  TLS only: aws s3api put-bucket-policy, as BucketPolicy in $here/template.yaml"
fi

# A pulse of our own, muted so that nobody is told of it.
name=$STACK-deploy
id=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
put() { # KEY BODY
  printf %s "$2" >"$work/body"
  aws s3api put-object --bucket "$BUCKET" --key "$1" --body "$work/body" --metadata "pulse-id=$id" >/dev/null
}
put "mute/$name.json" '{"for_s": 3600, "reason": "the pulse of a deployment", "by": "deploy.sh"}'
start=$SECONDS
put "pulse/$name.json" '{}'
until [ "$(aws s3api head-object --bucket "$BUCKET" --key "echo/$name.json" --output text \
  --query 'Metadata."pulse-id"' 2>/dev/null)" = "$id" ]; do
  [ $((SECONDS - start)) -lt 120 ] || fail "our own pulse/$name.json has no echo after two minutes. See why:
  aws logs tail $(output ProbeLogGroup) --since 10m
  aws sqs receive-message --queue-url $(output DeadLetterQueue)"
  sleep 1
done
for folder in pulse echo; do
  aws s3api delete-object --bucket "$BUCKET" --key "$folder/$name.json" >/dev/null
done
echo "a pulse of our own has its echo after $((SECONDS - start)) s

next:
  $here/host.sh STACK=$STACK \$(hostname)    makes user, key and configuration of a host
  pulse-echo run                       on that host: sends its pulse and waits for the echo"
