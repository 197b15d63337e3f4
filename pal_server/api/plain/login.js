const form = document.getElementById("login");
const status = document.getElementById("status");

// Where somebody wanted to go before the log-in: a path of this server, nothing that could be another host.
function next() {
  const wanted = sessionStorage.getItem("pal.next") ?? "/";
  sessionStorage.removeItem("pal.next");
  return /^\/(?![/\\])/.test(wanted) ? wanted : "/";
}

async function login(body) {
  status.textContent = "One moment…";
  const response = await fetch("/api/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (response.ok) {
    location.replace(next());
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
