"""The two plain pages of a server without its workbench: what to do next, and the log-in link's landing."""

from aiohttp import web
from aiohttp.web_response import StreamResponse

from pal_server.api.answers import PAGE_POLICY
from pal_server.api.routing import Call

_STYLE = """
:root { color-scheme: light dark; --ink: #1d1f23; --soft: #5f6570; --line: #dfe2e7; --ground: #fbfbfa; --card: #fff; --mark: #2f6f4f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e6; --soft: #9a9fa8; --line: #33363c; --ground: #17181a; --card: #1f2124; --mark: #7cc49b; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; padding: 2rem 1rem; }
main { width: min(40rem, 100%); background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 2rem; }
h1 { font-size: 1.35rem; margin: 0 0 .25rem; }
p { margin: .5rem 0 0; color: var(--soft); }
ol { margin: 1.25rem 0 0; padding-left: 1.25rem; }
li { margin: .9rem 0; }
li::marker { color: var(--mark); font-weight: 600; }
code { display: block; margin-top: .35rem; padding: .55rem .75rem; border: 1px solid var(--line); border-radius: 8px;
  background: var(--ground); font: .875rem/1.45 ui-monospace, SFMono-Regular, Menlo, monospace; overflow-wrap: anywhere; }
a { color: var(--mark); }
form { margin-top: 1.25rem; display: grid; gap: .75rem; }
input, button { font: inherit; padding: .6rem .8rem; border-radius: 8px; border: 1px solid var(--line); background: var(--ground);
  color: var(--ink); }
button { background: var(--mark); border-color: var(--mark); color: var(--card); font-weight: 600; cursor: pointer; }
input:focus-visible, button:focus-visible, a:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
[role=status] { min-height: 1.5em; }
"""

_INDEX = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>pal</title><link rel="stylesheet" href="/assets/plain.css"></head>
<body><main>
<h1>pal is running</h1>
<p>People and coding agents talk here. This is what comes next:</p>
<ol>
<li>Connect a computer that runs agents. This prints the command to run there:<code>pal console computers provision --name laptop</code></li>
<li>Create an agent on it:<code>pal console agents onboard demo --runtime demo --computer laptop</code></li>
<li>Say something:<code>pal console send --room general "@demo /echo hello"</code></li>
<li>See the answer, or why there is none:<code>pal console messages --room general</code><code>pal why MESSAGE</code></li>
</ol>
<p><a href="/login">Log in</a> · <a href="/api/openapi.json">API</a> · <a href="/health/ready">Health</a></p>
</main></body></html>
"""

_LOGIN = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Log in · pal</title><link rel="stylesheet" href="/assets/plain.css"></head>
<body><main>
<h1>Log in to pal</h1>
<p>With your name and password, or with a token alone: <code>pal console token</code></p>
<form id="login" method="post" action="/api/login">
<input name="username" autocomplete="username" placeholder="Name" aria-label="Name">
<input name="password" type="password" autocomplete="current-password" placeholder="Password" aria-label="Password">
<input name="token" type="password" autocomplete="off" placeholder="or token" aria-label="Token">
<button>Log in</button>
</form>
<p role="status" id="status"></p>
<noscript><p>This page needs JavaScript.</p></noscript>
<script src="/assets/login.js"></script>
</main></body></html>
"""

_SCRIPT = """
const form = document.getElementById("login");
const status = document.getElementById("status");

async function login(body) {
  status.textContent = "One moment…";
  const response = await fetch("/api/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (response.ok) {
    location.replace("/");
    return;
  }
  const { error } = await response.json();
  status.textContent = error.message;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = Object.fromEntries(Array.from(new FormData(form)).filter(([, value]) => value !== ""));
  login(given);
});

const code = new URLSearchParams(location.search).get("code");
if (code) {
  history.replaceState(null, "", "/login");
  login({ code });
}
"""


async def index(_: Call) -> StreamResponse:
    return _page(_INDEX)


async def login(_: Call) -> StreamResponse:
    return _page(_LOGIN)


async def style(_: Call) -> StreamResponse:
    return web.Response(text=_STYLE, headers={"Content-Type": "text/css; charset=utf-8", "Cache-Control": "no-cache"})


async def script(_: Call) -> StreamResponse:
    return web.Response(
        text=_SCRIPT, headers={"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-cache"}
    )


def _page(text: str) -> web.Response:
    return web.Response(
        text=text, headers={"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": PAGE_POLICY}
    )
