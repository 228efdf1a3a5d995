
// Polls while the page is looked at, follows events, asks for a token when one is needed.

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let isAsking = false;

function askForToken(why) {
  if (isAsking) return;
  isAsking = true;
  if (token.get()) byId('ask-why').textContent = why;
  byId('ask').showModal();
}

byId('ask').addEventListener('cancel', (event) => event.preventDefault());
byId('ask-form').addEventListener('submit', () => {
  token.set(byId('token').value.trim());
  byId('token').value = '';
  isAsking = false;
});

async function refresh() {
  const [status, nodes, stats, transfers] = await Promise.all([
    askJson('/v1/status'), askJson('/v1/nodes'), askJson('/v1/stats'), askJson('/v1/transfers'),
  ]);
  showStatus(status);
  showTiles(status, nodes.nodes, stats);
  showNodes(nodes.nodes);
  showTransfers(transfers.transfers);
}

async function keepFresh() {
  for (;;) {
    if (!document.hidden && !isAsking) {
      try {
        await refresh();
      } catch (problem) {
        if (problem instanceof Denied) {
          showVerdict('unknown', '?', 'A token is needed', problem.message);
          askForToken(problem.message);
        } else {
          showVerdict('danger', '!', 'The daemon does not answer',
            'What is shown below is what it said last. ' + problem.message);
        }
      }
    }
    await pause(2000);
  }
}

async function keepFollowing() {
  let lastId = 0;
  for (;;) {
    if (!isAsking) {
      try {
        await follow(lastId, () => showLive(true), (event) => {
          lastId = event.id;
          showEvent(event);
        });
      } catch (problem) {
        if (problem instanceof Denied) askForToken(problem.message);
      }
      showLive(false);
    }
    await pause(2000);
  }
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  localStorage.setItem('syncline-theme', name);
}

byId('theme').addEventListener('click', () => {
  setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
});
setTheme(localStorage.getItem('syncline-theme') ||
  (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'));

token.takeFromAddress();
keepFresh();
keepFollowing();
