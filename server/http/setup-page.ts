import {pagePolicy} from './page-policy.ts';
import {type Request, type Response, sendText} from './replies.ts';

const script = `
const form = document.querySelector('form');
const answer = document.querySelector('output');
const code = location.hash.slice(1);
if (!code) answer.textContent = 'This link holds no code. Run "muster admin setup-link" for a new one.';
form.addEventListener('submit', async event => {
  event.preventDefault();
  const {username, email, password} = Object.fromEntries(new FormData(form));
  answer.textContent = 'One moment';
  try {
    const response = await fetch('/api/v1/setup', {
      method: 'POST',
      headers: {'content-type': 'application/json'},
      body: JSON.stringify({code, username, email, password}),
    });
    const body = await response.json();
    if (!response.ok) throw new Error(body.error.message);
    form.hidden = true;
    history.replaceState(undefined, '', location.pathname);
    answer.textContent = 'Administrator "' + username + '" exists now. Sign in with: muster login ' + username;
  } catch (error) {
    answer.textContent = error.message;
  }
});
`;

const style = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 24rem; margin: 15vh auto; padding: 0 1rem; }
label { display: block; margin: 1rem 0; }
input { display: block; width: 100%; box-sizing: border-box; padding: .5rem; font: inherit; }
button { padding: .5rem 1rem; font: inherit; }
`;

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Muster: first administrator</title>
<style>${style}</style>
<main>
<h1>First administrator</h1>
<form>
<label>User name <input name="username" required autofocus autocomplete="username" pattern="[a-z0-9][a-z0-9._\\-]{0,62}"></label>
<label>E-mail <input name="email" type="email" autocomplete="email"></label>
<label>Password, 10 characters or more <input name="password" type="password" required minlength="10" autocomplete="new-password"></label>
<button>Create</button>
</form>
<p><output></output></p>
</main>
<script>${script}</script>
</html>
`;

const policy = pagePolicy({script, style});

/** The page behind a setup link. The code is in the fragment, which browsers send to nobody. */
export function answerSetup(request: Request, response: Response): boolean {
  if (request.url?.split('?', 1)[0] !== '/setup') return false;
  sendText(response, 200, {
    body: page,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    },
  });
  return true;
}
