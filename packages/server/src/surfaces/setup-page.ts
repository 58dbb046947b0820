import { baseStyle } from './page-style.ts'

const style = `${baseStyle}
label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
fieldset { margin: 0; padding: 0; border: 0; }
legend { padding: 0; font-weight: 600; }
label.choice { margin: .25rem 0; font-weight: 400; }
label.choice input { width: auto; margin: 0 .375rem 0 0; }
input { width: 100%; padding: .625rem .75rem; font: inherit; color: inherit; background: var(--back); border: 1px solid var(--line); border-radius: .5rem; }
input:focus-visible, button:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
input[aria-invalid=true] { border-color: var(--bad); }
small { color: var(--soft); }
button { width: 100%; margin-top: 1.5rem; padding: .75rem; font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 0; border-radius: .5rem; cursor: pointer; }
button:disabled { opacity: .6; cursor: wait; }
[role=alert] { color: var(--bad); }
[role=alert]:not(:empty) { margin-top: 1rem; }
.field-error { color: var(--bad); }
#done h2 { margin: 0 0 .5rem; font-size: 1.25rem; color: var(--good); }
[hidden] { display: none; }
`

const bodyAt = (basePath: string) => `<main>
<h1>Set up Pinstack</h1>
<div id="ask">
<p id="what">Make the first admin of this server. This link works once.</p>
<form id="form" novalidate>
<fieldset>
<legend>Who becomes the admin?</legend>
<label class="choice"><input type="radio" name="who" value="new" checked> A new account</label>
<label class="choice"><input type="radio" name="who" value="known"> An account that I have here</label>
</fieldset>
<div class="new">
<label for="username">Username</label>
<input id="username" autocomplete="username" autocapitalize="none" spellcheck="false" required aria-describedby="username-hint username-error">
<small id="username-hint">3 to 32 letters, digits, _ . or -</small>
<div class="field-error" id="username-error"></div>
<label for="email">E-mail</label>
<input id="email" type="email" autocomplete="email" required aria-describedby="email-hint email-error">
<small id="email-hint">Only you and other admins see it.</small>
<div class="field-error" id="email-error"></div>
</div>
<div class="known" hidden>
<label for="login">Username or e-mail</label>
<input id="login" autocomplete="username" autocapitalize="none" spellcheck="false" required aria-describedby="login-hint login-error">
<small id="login-hint">As when you sign in.</small>
<div class="field-error" id="login-error"></div>
</div>
<label for="password">Password</label>
<input id="password" type="password" autocomplete="new-password" required aria-describedby="password-hint password-error">
<small id="password-hint">8 to 128 characters.</small>
<div class="field-error" id="password-error"></div>
<button id="submit">Become admin</button>
<p id="error" role="alert"></p>
</form>
</div>
<div id="done" tabindex="-1" hidden>
<h2>You are the admin now</h2>
<p>Sign in as <strong id="name"></strong>: in your app, or on the host with <code>pinstack login</code>.</p>
<p><a href="${basePath}/docs">See the API</a></p>
</div>
<div id="no-token" hidden>
<p role="alert">This page needs the link that the server printed when it started, with everything after the # sign.</p>
<p>Lost it? Make an account and run <code>pinstack admin grant NAME</code> on the host.</p>
</div>
<noscript><p>This page needs JavaScript. Without it: make an account and run <code>pinstack admin grant NAME</code> on the host.</p></noscript>
</main>`

// The token stays in the fragment, which no browser sends and no log sees, and leaves the address bar once it has been read.
const scriptAt = (basePath: string) => `
const id = (name) => document.getElementById(name)
const token = new URLSearchParams(location.hash.slice(1)).get('token')
const fieldsOf = { new: ['username', 'email', 'password'], known: ['login', 'password'] }
const rules = {
  username: [/^[\\p{L}\\p{N}_.-]{3,32}$/u, '3 to 32 letters, digits, _ . or - are needed.'],
  email: [/^[^\\s@]+@[^\\s@]+\\.[^\\s@]+$/, 'This is not an e-mail address.'],
  login: [/./, 'Enter the username or the e-mail address.'],
  password: [/^.{8,128}$/su, '8 to 128 characters are needed.'],
}
const sentences = {
  'auth.invalid_setup_token': 'This link is not valid any more. Restart the server for a new one, if it still has no admin.',
  'auth.setup_done': 'This server has an admin already.',
  'auth.invalid_credentials': 'That is not the password of this account.',
  'users.not_found': 'There is no such account here.',
  'users.username_taken': 'This username is taken. Is the account yours? Then choose “An account that I have here”.',
  'users.email_taken': 'This e-mail address is taken. Is the account yours? Then choose “An account that I have here”.',
  'users.invalid_email': 'This is not an e-mail address that we can use.',
  'limit.exceeded': 'Too many attempts. Wait a minute and try again.',
}

history.replaceState(null, '', location.pathname)
if (!token) { id('ask').hidden = true; id('no-token').hidden = false }

const who = () => new FormData(id('form')).get('who')
for (const choice of document.querySelectorAll('[name=who]')) choice.addEventListener('change', () => {
  for (const part of ['new', 'known']) document.querySelector('.' + part).hidden = who() !== part
  id('password').autocomplete = who() === 'new' ? 'new-password' : 'current-password'
  show({})
})

function show(errors, sentence) {
  for (const name of Object.keys(rules)) {
    id(name + '-error').textContent = errors[name] || ''
    id(name).setAttribute('aria-invalid', String(Boolean(errors[name])))
  }
  id('error').textContent = sentence || ''
  const first = fieldsOf[who()].find((name) => errors[name])
  if (first) id(first).focus()
}

/** Returns undefined when it is done, else what to say about each field and about the whole. */
async function claim(input) {
  const answer = await fetch('${basePath}/trpc/auth.claimAdmin', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(input) })
  const { error } = await answer.json()
  if (!error) return
  const { reason, errors = [], requestId } = error.data
  const blamed = Object.fromEntries(errors.filter(({ path }) => path in rules).map(({ path }) => [path, rules[path][1]]))
  const sentence = Object.keys(blamed).length ? '' : sentences[reason] || 'That did not work: ' + error.message + ' (request ' + requestId + ').'
  return { blamed, sentence }
}

id('form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const values = Object.fromEntries(fieldsOf[who()].map((name) => [name, id(name).value]))
  const isWrong = (name) => !(who() === 'known' ? /./ : rules[name][0]).test(values[name])
  const wrong = Object.fromEntries(Object.keys(values).filter(isWrong).map((name) => [name, rules[name][1]]))
  show(wrong)
  if (Object.keys(wrong).length) return
  id('submit').disabled = true
  try {
    const failed = await claim({ token, ...values })
    if (failed) return show(failed.blamed, failed.sentence)
    id('name').textContent = values.username || values.login
    id('ask').hidden = true
    id('done').hidden = false
    id('done').focus()
  } catch {
    show({}, 'The server cannot be reached. Is it still running?')
  } finally {
    id('submit').disabled = false
  }
})
`

/** Makes the first admin by the one-time link that a start prints. Self-contained: `style` and `script` are inline, and may be named by their hash. */
export function setupPage(basePath = ''): { html: string; style: string; script: string } {
  const script = scriptAt(basePath)
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Set up Pinstack</title>
<style>${style}</style>
</head>
<body>
${bodyAt(basePath)}
<script>${script}</script>
</body>
</html>
`
  return { html, style, script }
}
