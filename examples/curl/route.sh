#!/bin/sh
# Three requests: a decision without a call of a model, a routed reply with its headers, and a streamed one.
set -eu
url=${PLIMSOLL_URL:-http://127.0.0.1:8787}
key=${PLIMSOLL_KEY:-unused-on-loopback}

post() {
  path=$1
  shift
  curl --silent --show-error --fail-with-body "$url$path" \
    -H "authorization: Bearer $key" -H 'content-type: application/json' "$@"
  echo
}

post /v1/route -d '{"prompt":"Translate good morning into French."}'

post /v1/chat/completions --include \
  -d '{"model":"auto","messages":[{"role":"user","content":"Translate good morning into French."}]}'

post /v1/chat/completions --no-buffer \
  -d '{"model":"auto","stream":true,"messages":[{"role":"user","content":"Translate good morning into French."}]}'
