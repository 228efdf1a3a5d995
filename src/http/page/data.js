
// Asks the daemon; the token stays in this tab.

class Denied extends Error {}

const token = {
  get() { return sessionStorage.getItem('syncline-token') || ''; },
  set(text) { sessionStorage.setItem('syncline-token', text); },
  // ?token=… is taken over and removed from the address, so that it is not shared by accident.
  takeFromAddress() {
    const address = new URL(location.href);
    const given = address.searchParams.get('token');
    if (given === null) return;
    token.set(given.trim());
    address.searchParams.delete('token');
    history.replaceState(null, '', address);
  },
};

async function ask(path, options = {}) {
  const headers = new Headers(options.headers);
  if (token.get()) headers.set('Authorization', 'Bearer ' + token.get());
  const answer = await fetch(path, { ...options, headers, cache: 'no-store' });
  if (answer.status === 401 || answer.status === 403) {
    const body = await answer.json().catch(() => null);
    throw new Denied(body ? body.error.what : 'The token was refused.');
  }
  if (!answer.ok) throw new Error(path + ' answered ' + answer.status);
  return answer;
}

async function askJson(path) {
  return (await ask(path)).json();
}

// Server-sent events by fetch, because EventSource cannot send a token. Ends when the stream does.
async function follow(lastId, onOpen, onEvent, signal) {
  const headers = { Accept: 'text/event-stream' };
  if (lastId > 0) headers['Last-Event-ID'] = String(lastId);
  const answer = await ask('/v1/events', { headers, signal });
  onOpen();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    const messages = rest.split('\n\n');
    rest = messages.pop();
    for (const message of messages) {
      const data = message.split('\n').filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trim()).join('\n');
      if (data) onEvent(JSON.parse(data));
    }
  }
}
