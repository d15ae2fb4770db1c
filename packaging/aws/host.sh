#!/usr/bin/env bash
# Makes what one host needs: an IAM user of its name, a key, and its configuration and first pulse in the folder NAME.
#
#   host.sh [STACK=pulse-echo] NAME             makes them, once
#   host.sh [STACK=pulse-echo] NAME --rotate    a second key; the first stays valid until it is deleted
#   host.sh [STACK=pulse-echo] NAME --remove    takes user and keys away
#   host.sh [STACK=pulse-echo] NAME --policy    prints the policy for a role of this host's own
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=packaging/aws/common.sh
. "$here/common.sh"

name='' act=make
for argument in "$@"; do
  case $argument in
    STACK=*) STACK=${argument#STACK=} ;;
    --rotate | --remove | --policy) act=${argument#--} ;;
    -h | --help) sed -n '2,/^here=/{s/^# \{0,1\}//;/^here=/d;p;}' "$0" && exit ;;
    -*) fail "$argument is not known; --help lists what is" ;;
    *)
      [ -z "$name" ] || fail "one host at a time: $name or $argument?"
      name=$argument
      ;;
  esac
done
STACK=${STACK:-pulse-echo}
[ -n "$name" ] || fail "which host? host.sh NAME, as its hostname says"
grep -qE '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' <<<"$name" ||
  fail "\"$name\" is no host's name: letters, digits, dots, hyphens and underscores, at most 128"
case $(tr '[:upper:]' '[:lower:]' <<<"$name") in
  localhost | localhost.* | localhost4* | localhost6* | ip6-localhost)
    fail "$name is every machine's name: give the host a name of its own"
    ;;
esac

identify
read_stack
[ -n "$outputs" ] || fail "there is no stack $STACK in $region: give STACK=, or deploy it first"
BUCKET=$(output BucketName)
policy=$(output HostPolicyArn)

# The host policy with its variable replaced: as the stack has it, so it cannot be another one.
if [ "$act" = policy ]; then
  version=$(aws iam get-policy --policy-arn "$policy" --query Policy.DefaultVersionId --output text)
  aws iam get-policy-version --policy-arn "$policy" --version-id "$version" --query PolicyVersion.Document \
    --output json | sed "s/\${aws:username}/$name/g"
  exit
fi

other="give it a role of its own ($here/host.sh $name --policy prints the policy), or a certificate (docs/aws.md)"
[ ${#name} -le 64 ] || fail "$name has ${#name} letters, and an IAM user's name at most 64: $other"
lower=$(tr '[:upper:]' '[:lower:]' <<<"$name")
user=''
while read -r each; do
  [ "$(tr '[:upper:]' '[:lower:]' <<<"$each")" = "$lower" ] || continue
  [ "$each" = "$name" ] ||
    fail "there is a user $each, which differs from $name by case alone, and IAM does not tell them apart: $other"
  user=$each
done < <(aws iam list-users --query 'Users[].[UserName]' --output text)
path=/pulse-echo/$STACK/
if [ -n "$user" ]; then
  of=$(aws iam get-user --user-name "$name" --query User.Path --output text)
  [ "$of" = "$path" ] || fail "there is a user $name already (path $of), which is not of this stack: $other"
fi

keys() {
  aws iam list-access-keys --user-name "$name" --query 'AccessKeyMetadata[].[CreateDate, AccessKeyId]' --output text |
    sort | cut -f 2
}

# The folder is made before the key: a key that cannot be written down would be lost.
write_down() {
  umask 077
  mkdir -p "$name"
  # In a checkout no commit takes the key along.
  echo '*' >"$name/.gitignore"
  aws iam create-access-key --user-name "$name" --query 'AccessKey.[AccessKeyId, SecretAccessKey]' --output text |
    { IFS=$'\t' read -r id secret && printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$id" \
      "$secret" >"$name/credentials"; }
  # The endpoint is for an S3 that is not AWS's.
  local endpoint=${AWS_ENDPOINT_URL_S3:-${AWS_ENDPOINT_URL:-}}
  {
    printf '{\n  "bucket": %s,\n  "region": %s,\n  "host": %s' "$(json "$BUCKET")" "$(json "$region")" "$(json "$name")"
    [ -z "$endpoint" ] || printf ',\n  "endpoint": %s,\n  "path_style": true' "$(json "$endpoint")"
    printf '\n}\n'
  } >"$name/config.json"
  [ "$act" != make ] || echo '{}' >"$name/pulse.json"
  chmod 644 "$name"/*.json
}

case $act in
  make)
    if [ -n "$user" ] && [ -n "$(keys)" ]; then
      # What remove.sh takes back of a user that it keeps.
      if [ -z "$(aws iam list-attached-user-policies --user-name "$name" --output text \
        --query "AttachedPolicies[?PolicyArn == '$policy'].[PolicyArn]")" ]; then
        aws iam attach-user-policy --user-name "$name" --policy-arn "$policy"
        echo "$name has its rights again, with the key that it has"
        exit
      fi
      fail "$name is there and has its key, which AWS shows only once. For a new one: $here/host.sh $name --rotate"
    fi
    [ ! -e "$name/credentials" ] || fail "$name/credentials is there already: remove it, or go to another folder"
    if [ -z "$user" ]; then
      boundary=$(value_of PermissionsBoundary "$parameters")
      aws iam create-user --user-name "$name" --path "$path" --tags "Key=pulse-echo,Value=$STACK" \
        ${boundary:+--permissions-boundary "$boundary"} >/dev/null
    fi
    aws iam attach-user-policy --user-name "$name" --policy-arn "$policy"
    write_down
    ;;
  rotate)
    [ -n "$user" ] || fail "there is no host $name: leave --rotate out"
    old=$(keys)
    if [ "$(wc -l <<<"$old")" -ge 2 ]; then
      fail "$name has two keys, and IAM allows no third. Once the host has the newer one:
  aws iam delete-access-key --user-name $name --access-key-id $(head -n 1 <<<"$old")"
    fi
    write_down
    ;;
  remove)
    [ -n "$user" ] || fail "there is no host $name"
    remove_user "$name"
    echo "$name has no user and no key any more; its checks fall silent, unless you say: pulse-echo retire $name"
    exit
    ;;
esac

files=$(cd "$name" && echo *.json)
echo "$PWD/$name holds ${files// /, } and credentials. On the host, as root:
  install -m 644 $files /etc/pulse-echo/
  install -m 640 -g pulse-echo credentials /etc/pulse-echo/
  pulse-echo run
{} as a pulse is a bare sign of life. To have a service checked, write into /etc/pulse-echo/pulse.json what it answers,
such as {\"url\": \"https://example.com/health\", \"body\": \"ok\"}.
A new key works within seconds, at times after a minute."
if [ "$act" = rotate ]; then
  echo "Once the host has the new key:
  aws iam delete-access-key --user-name $name --access-key-id $old"
fi
