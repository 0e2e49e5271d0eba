#!/bin/sh
# Makes the certificates of the tests anew: an authority, a server, and a client. They guard nothing.
set -eu
cd "$(dirname "$0")"
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }
key authority-key.pem
openssl req -x509 -new -key authority-key.pem -days 36500 -subj '/CN=Rhapsode test authority' -out authority.pem
signed() {
  key "$1-key.pem"
  openssl req -new -key "$1-key.pem" -subj "/CN=$1" -out "$1.csr"
  printf 'subjectAltName=%s\n' "$2" > "$1.ext"
  openssl x509 -req -in "$1.csr" -CA authority.pem -CAkey authority-key.pem -set_serial "$3" -days 36500 \
    -extfile "$1.ext" -out "$1.pem"
  rm "$1.csr" "$1.ext"
}
signed server DNS:localhost,IP:127.0.0.1,DNS:api.lmnt.com 1
signed client DNS:client 2
rm authority-key.pem
