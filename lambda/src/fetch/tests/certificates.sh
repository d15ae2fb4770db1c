#!/usr/bin/env bash
# Makes the certificates of the test, as people make them with openssl: NAME.c, its key NAME.k, and what the server
# sends with it, NAME.chain, if anything. Those in `bundle` are trusted.
set -u
cd "$1"
exec 2>errors
san=subjectAltName=DNS:localhost

# key NAME KIND: a key, as another certificate has it or a new one.
key() {
  local file=key-${2//:/-}
  [ -s "$file" ] || case $2 in
    rsa:*) openssl genrsa -out "$file" "${2#rsa:}" ;;
    ec:*) openssl ecparam -genkey -name "${2#ec:}" -noout -out "$file" ;;
    *) openssl genpkey -algorithm "$2" -out "$file" ;;
  esac
  cp "$file" "$1.k"
}
# root NAME KIND [OPTIONS of openssl req]: a root, or any self-signed certificate.
root() {
  local name=$1 kind=$2
  shift 2
  key "$name" "$kind"
  openssl req -x509 -new -key "$name.k" -days 365 -subj "/CN=CA $name" -out "$name.c" "$@"
}
# signed NAME KIND CA EXTENSIONS [OPTIONS of openssl x509]: a certificate for /CN=localhost, sent without its issuer.
signed() {
  local name=$1 kind=$2 ca=$3 extensions=$4
  shift 4
  key "$name" "$kind"
  openssl req -new -key "$name.k" -subj "${subject:-/CN=localhost}" -out request
  printf '%b\n' "$extensions" >extensions
  openssl x509 -req -in request -CA "$ca.c" -CAkey "$ca.k" -set_serial $((RANDOM + 1)) -days 90 -out "$name.c" \
    -extfile extensions "$@"
}
below() { # below NAME CA EXTENSIONS [OPTIONS]: a CA below a CA.
  local name=$1 ca=$2 extensions=$3
  shift 3
  subject="/CN=CA $name" signed "$name" ec:prime256v1 "$ca" "$extensions" "$@"
}

later() { # later NAME CA EXTENSIONS: a CA below a CA that is not valid yet.
  local name=$1 ca=$2
  key "$name" ec:prime256v1
  openssl req -new -key "$name.k" -subj "/CN=CA $name" -out request
  : >index
  printf '%s\n' '[ca]' 'default_ca=it' '[it]' database=index new_certs_dir=. default_md=sha256 policy=policy \
    rand_serial=yes '[policy]' commonName=optional '[extensions]' "$3" >config
  openssl ca -batch -notext -config config -extensions extensions -in request -cert "$ca.c" -keyfile "$ca.k" \
    -startdate 29900101000000Z -enddate 29950101000000Z -out "$name.c"
}

root plain rsa:2048
root p256 ec:prime256v1
root p521 ec:secp521r1
root brainpool ec:brainpoolP256r1
root k256 ec:secp256k1
root ed448 ed448
root short rsa:1024
root names rsa:2048 -addext 'nameConstraints=critical,permitted;DNS:example.com'
root no-signer ec:prime256v1 -addext keyUsage=digitalSignature
root stranger ec:secp384r1
root renewed ec:prime256v1 -subj '/CN=CA renewed'
root before ec:secp384r1 -subj '/CN=CA renewed'

signed good rsa:2048 plain "$san"
signed good-p256 ec:prime256v1 p256 "$san"
signed good-p384 ec:secp384r1 plain "$san"
signed good-ed25519 ed25519 plain "$san"
signed good-rsa4096 rsa:4096 plain "$san"
signed sha384 rsa:2048 plain "$san" -sha384
signed sha512 rsa:2048 plain "$san" -sha512
signed sha224 rsa:2048 plain "$san" -sha224
signed sha1 rsa:2048 plain "$san" -sha1
signed md5 rsa:2048 plain "$san" -md5
signed pss rsa:2048 plain "$san" -sigopt rsa_padding_mode:pss
signed ecdsa-sha1 ec:prime256v1 p256 "$san" -sha1
signed ecdsa-sha224 ec:prime256v1 p256 "$san" -sha224
signed ecdsa-sha512 ec:prime256v1 p256 "$san" -sha512
signed by-p521 ec:prime256v1 p521 "$san"
signed by-brainpool ec:prime256v1 brainpool "$san"
signed by-k256 ec:prime256v1 k256 "$san"
signed by-ed448 ec:prime256v1 ed448 "$san"
signed by-short ec:prime256v1 short "$san"
signed short-key rsa:1024 plain "$san"
signed of-p521 ec:secp521r1 plain "$san"
signed of-brainpool ec:brainpoolP256r1 plain "$san"
signed of-ed448 ed448 plain "$san"
signed ca-true ec:prime256v1 plain "$san\nbasicConstraints=critical,CA:TRUE"
signed critical ec:prime256v1 plain "$san\n1.2.3.4.5=critical,ASN1:UTF8String:hello"
signed uncritical ec:prime256v1 plain "$san\n1.2.3.4.5=ASN1:UTF8String:hello"
signed constrained ec:prime256v1 names "$san"
signed for-mail ec:prime256v1 plain "$san\nextendedKeyUsage=critical,emailProtection"
signed for-clients ec:prime256v1 plain "$san\nextendedKeyUsage=clientAuth"
signed for-servers ec:prime256v1 plain "$san\nextendedKeyUsage=serverAuth\nkeyUsage=digitalSignature"
signed other-address ec:prime256v1 plain subjectAltName=IP:127.0.0.9
signed other-name ec:prime256v1 plain subjectAltName=DNS:www.example.com,DNS:example.com
signed deeper ec:prime256v1 plain 'subjectAltName=DNS:*.localhost'
signed only-mail ec:prime256v1 plain subjectAltName=email:me@example.com
signed only-common-name ec:prime256v1 plain basicConstraints=CA:FALSE
subject=/O=nobody signed no-name ec:prime256v1 plain basicConstraints=CA:FALSE
signed version-1 ec:prime256v1 plain ''
signed backwards ec:prime256v1 plain "$san" -days -1
signed address-as-name ec:prime256v1 plain subjectAltName=DNS:127.0.0.1
signed many-names ec:prime256v1 plain "subjectAltName=$(printf 'DNS:host%d.example.com,' {1..80})DNS:example.com"
signed uri-name ec:prime256v1 plain subjectAltName=URI:https://localhost/
signed rsa2040 rsa:2040 plain "$san"
signed policies ec:prime256v1 plain "$san\ncertificatePolicies=critical,1.2.3.4"
signed for-lists ec:prime256v1 plain "$san\nkeyUsage=critical,cRLSign"
signed of-netscape ec:prime256v1 plain "$san\nnsCertType=client"
signed by-no-signer ec:prime256v1 no-signer "$san"
signed stray ec:prime256v1 stranger "$san"
signed rootful ec:prime256v1 stranger "$san"
cp stranger.c rootful.chain
signed named-leaf ec:prime256v1 stranger "$san"
signed anew ec:secp384r1 before "$san"

below middle plain basicConstraints=critical,CA:TRUE
below no-ca plain basicConstraints=critical,CA:FALSE
below client plain 'basicConstraints=critical,CA:TRUE\nextendedKeyUsage=clientAuth'
below of-sha1 plain basicConstraints=critical,CA:TRUE -sha1
below first plain ''
below strange plain 'basicConstraints=critical,CA:TRUE\n1.2.3.4.5=critical,ASN1:UTF8String:hello'
below outside plain 'basicConstraints=critical,CA:TRUE\nnameConstraints=critical,excluded;DNS:localhost'
later next plain basicConstraints=critical,CA:TRUE
for ca in client of-sha1 first strange outside next; do
  signed by-$ca ec:secp384r1 $ca "$san"
  cp $ca.c by-$ca.chain
done
below lower middle basicConstraints=critical,CA:TRUE
below narrow plain basicConstraints=critical,CA:TRUE,pathlen:0
below narrower narrow basicConstraints=critical,CA:TRUE
signed chained ec:secp384r1 middle "$san"
cp middle.c chained.chain
signed unchained ec:secp384r1 middle "$san"
signed disordered ec:secp384r1 lower "$san"
cat middle.c lower.c >disordered.chain
signed gap ec:secp384r1 lower "$san"
cp lower.c gap.chain
signed by-no-ca ec:secp384r1 no-ca "$san"
cp no-ca.c by-no-ca.chain
signed too-long ec:secp384r1 narrower "$san"
cat narrower.c narrow.c >too-long.chain

for name in self self-named; do root $name ec:prime256v1 -subj /CN=localhost -addext $san; done
root self-no-ca ec:secp384r1 -subj /CN=localhost -addext $san -addext basicConstraints=critical,CA:FALSE
root self-common-name ec:prime256v1 -subj /CN=localhost
root self-other-name ec:prime256v1 -subj /CN=example.com
root self-sha512 ec:prime256v1 -subj /CN=localhost -addext $san -sha512
root self-clients ec:prime256v1 -subj /CN=localhost -addext $san -addext extendedKeyUsage=clientAuth
for name in self-v1:localhost self-v1-rsa:localhost self-v1-other:example.com; do
  case $name in *rsa*) kind=rsa:2048 ;; *) kind=ec:prime256v1 ;; esac
  key ${name%:*} $kind
  openssl req -new -key ${name%:*}.k -subj /CN=${name#*:} -out request
  openssl x509 -req -in request -signkey ${name%:*}.k -days 30 -out ${name%:*}.c
done
root self-short rsa:1024 -subj /CN=localhost -addext $san

cat {plain,p256,p521,brainpool,k256,ed448,short,names,renewed,no-signer}.c \
  {self-clients,self-v1,self-v1-rsa,self-v1-other}.c \
  {self-named,self-common-name,self-other-name,self-sha512,self-short,named-leaf}.c >bundle
