#!/usr/bin/env bash
# Registers a user, signs in, reads the account, finds it again, writes a post and signs out, over the HTTP API.
# Needs a running server (`npx pinstack up`) and curl.
#
#   ./curl.sh [http://127.0.0.1:8080]
set -euo pipefail

api="${1:-http://127.0.0.1:8080}/api/v1"
name="ada$(date +%s)$RANDOM"

# Sends JSON and prints the answer; an HTTP error ends the script.
call() { curl --silent --show-error --fail-with-body --header 'Content-Type: application/json' "$@"; }

# Takes a text member out of a JSON answer. Use jq in earnest.
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

echo "Registering $name"
call "$api/auth/register" --data "{\"username\":\"$name\",\"email\":\"$name@example.com\",\"password\":\"correct horse\"}" > /dev/null

echo 'Signing in'
tokens=$(call "$api/auth/login" --data "{\"login\":\"$name\",\"password\":\"correct horse\"}")
access_token=$(member access_token <<< "$tokens")
refresh_token=$(member refresh_token <<< "$tokens")

echo 'Who am I?'
call "$api/auth/me" --header "Authorization: Bearer $access_token"

echo 'Searching'
call --get "$api/users/search" --data-urlencode "query=$name"

echo 'Writing a post'
call "$api/posts" --header "Authorization: Bearer $access_token" --data '{"title":"Hello","content":"From the command line.","tags":["curl"]}'

echo 'Signing out'
call "$api/auth/logout" --data "{\"refresh_token\":\"$refresh_token\"}"
