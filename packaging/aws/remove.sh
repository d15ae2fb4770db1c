#!/usr/bin/env bash
# Takes pulse-echo away from AWS: says what goes and what stays, then does it.
#
#   remove.sh [STACK=pulse-echo] [--data] [--hosts] [--yes]
#
#   --data     the bucket, too, with all that is in it
#   --hosts    the IAM users of the hosts, too
#   --yes      does not ask
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=packaging/aws/common.sh
. "$here/common.sh"

data='' hosts='' yes=''
for argument in "$@"; do
  case $argument in
    STACK=*) STACK=${argument#STACK=} ;;
    --data) data=yes ;;
    --hosts) hosts=yes ;;
    --yes) yes=yes ;;
    -h | --help) sed -n '2,/^here=/{s/^# \{0,1\}//;/^here=/d;p;}' "$0" && exit ;;
    *) fail "$argument is not known; --help lists what is" ;;
  esac
done
STACK=${STACK:-pulse-echo}

identify
read_stack
[ -n "$status" ] || fail "there is no stack $STACK in $region"
BUCKET=$(value_of BucketName "$parameters")
users=$(aws iam list-users --path-prefix "/pulse-echo/$STACK/" --query 'Users[].[UserName]' --output text)
count=$(grep -c . <<<"$users" || true)

echo "goes:  the stack $STACK in $region: functions, their logs, queues, topics, alarms, policies"
[ -z "$data" ] || echo "goes:  the bucket $BUCKET, with all pulses, echoes and the history"
[ -z "$hosts" ] || echo "goes:  $count users of hosts, with their keys"
[ -n "$data" ] || echo "stays: the bucket $BUCKET, without our notifications; --data takes it, too"
[ -n "$hosts" ] || echo "stays: $count users of hosts, without rights; --hosts takes them, too"
echo "stays: the bucket $(value_of CodeBucket "$parameters"), with the functions' zips"
if [ -z "$yes" ]; then
  [ -t 0 ] || fail "say --yes where nobody can be asked"
  read -r -p "Take it away? Type the stack's name: " answer
  [ "$answer" = "$STACK" ] || fail "nothing was changed"
fi

# First, so that no event goes to a function that is no longer there.
if aws s3api head-bucket --bucket "$BUCKET" --expected-bucket-owner "$account" >/dev/null 2>&1; then
  put_notifications '[]'
else
  data=''
fi

# A policy goes only when nobody has it any more; the stack's own role is the stack's.
certificates=$(output CertificateRoleArn)
for policy in $(output HostPolicyArn) $(output FleetPolicyArn) $(output OperatorPolicyArn); do
  for kind in user group role; do
    case $kind in
      user) of='PolicyUsers[].[UserName]' ;;
      group) of='PolicyGroups[].[GroupName]' ;;
      role) of='PolicyRoles[].[RoleName]' ;;
    esac
    while read -r name; do
      if [ -n "$name" ] && [ "$name" != "${certificates##*/}" ]; then
        aws iam "detach-$kind-policy" "--$kind-name" "$name" --policy-arn "$policy"
      fi
    done < <(aws iam list-entities-for-policy --policy-arn "$policy" --output text --query "$of")
  done
done
if [ -n "$hosts" ]; then
  while read -r name; do
    [ -z "$name" ] || remove_user "$name"
  done <<<"$users"
fi

id=$(aws cloudformation describe-stacks --stack-name "$STACK" --query 'Stacks[0].StackId' --output text)
aws cloudformation delete-stack --stack-name "$STACK"
# By its id a deleted stack can still be asked.
await_stack "$id" DELETE_COMPLETE
[ -z "$data" ] || aws s3 rb --force "s3://$BUCKET" >/dev/null
echo "$STACK is gone"
