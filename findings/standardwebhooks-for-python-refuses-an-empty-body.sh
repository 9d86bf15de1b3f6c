#!/usr/bin/env bash
# standardwebhooks for Python takes no webhook whose body is empty, although the signature over it is right.
#
# The Standard Webhooks specification signs "id.timestamp.body" and says nothing against an empty body; a GET or a ping has none.
# The library verifies the signature first and then parses the body as JSON in every case, so that an empty body ends in
# JSONDecodeError and not in WebhookVerificationError: a receiver that catches the documented error answers 500 to an honest call.
# Whoever sends to receivers in Python signs and sends "{}".
#
# Seen with: standardwebhooks 1.0.0, Python 3.11.7.
# Output seen:
#   body "":   JSONDecodeError
#   body "{}": verified, {}
# Exit status: 0 while it is so, 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check standardwebhooks==1.0.0
cat >"$dir/look.py" <<'PY'
import base64, hashlib, hmac, sys, time
from importlib.metadata import version
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

key = b"a key for a test, 24 byt"
secret = "whsec_" + base64.b64encode(key).decode()


def verified(body: str) -> str:
    at = str(int(time.time()))
    mac = hmac.new(key, f"msg_1.{at}.{body}".encode(), hashlib.sha256).digest()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": at,
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }
    try:
        return f"verified, {Webhook(secret).verify(body, headers)}"
    except WebhookVerificationError as error:
        return f"WebhookVerificationError: {error}"
    except Exception as error:
        return type(error).__name__


print("standardwebhooks", version("standardwebhooks"))
empty, braces = verified(""), verified("{}")
print(f'body "":   {empty}')
print(f'body "{{}}": {braces}')
sys.exit(0 if empty == "JSONDecodeError" and braces == "verified, {}" else 1)
PY
"$dir/venv/bin/python" "$dir/look.py"
