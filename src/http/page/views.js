
// Values → elements. Text is only ever set as text: what a file or a node is called is not markup.

const byId = (id) => document.getElementById(id);

function el(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null));
  return element;
}

function meter(share, kind, label) {
  const bar = el('i');
  bar.style.width = share + '%';
  const box = el('div', 'meter ' + (kind || ''), bar);
  box.setAttribute('role', 'progressbar');
  box.setAttribute('aria-label', label);
  box.setAttribute('aria-valuenow', String(Math.round(share)));
  return box;
}

function facts(pairs) {
  const list = el('dl');
  for (const [name, value] of pairs) list.append(el('dt', '', name), el('dd', '', value));
  return list;
}

function showVerdict(kind, sign, title, detail) {
  byId('verdict').className = 'verdict ' + kind;
  byId('verdict-sign').textContent = sign;
  byId('verdict-title').textContent = title;
  byId('verdict-detail').textContent = detail;
  document.title = (kind === 'danger' ? '⚠ ' : '') + 'Syncline';
}

function showStatus(status) {
  byId('where').textContent = [status.fleet, status.node].filter(Boolean).join(' · ');
  byId('about').textContent = 'syncline ' + status.version + ' · ' + status.state + ' for ' +
    age(status.uptime_s) + ' · durable means: on disk at ' +
    many(status.acks, 'other failure domain', 'other failure domains');
  const pending = status.collections.reduce((sum, c) => sum + c.pending, 0);
  const late = status.collections.filter((c) => gravity(c) === 'danger');
  const problems = [status.intake_closed_why, ...status.problems].filter(Boolean);
  if (!status.is_safe) {
    const names = late.map((c) => c.name).join(', ');
    const detail = [...problems, ...late.map((c) => c.name + ': ' + (c.why || c.problems[0] || ''))];
    showVerdict('danger', '!', names ? 'Not safe: ' + names : 'Not safe', detail.join(' · '));
  } else if (pending > 0) {
    showVerdict('busy', '↑', many(pending, 'unit is', 'units are') + ' on the way',
      'Within the freshness target. Counted as safe only when fsynced elsewhere.');
  } else {
    showVerdict('safe', '✓', 'Everything is safe',
      'All that is known here is on disk in enough failure domains.' +
      (problems.length ? ' ' + problems.join(' · ') : ''));
  }
  showCollections(status.collections);
}

function showTiles(status, nodes, stats) {
  const sum = (field) => status.collections.reduce((total, c) => total + c[field], 0);
  const oldest = Math.max(0, ...status.collections.map((c) => c.oldest_pending_age_s));
  const up = nodes.filter((n) => stateGravity[n.state] === 'safe').length;
  const tiles = [
    [count(sum('durable')), 'units and objects durable'],
    [count(sum('pending')), 'not durable yet'],
    [bytes(sum('pending_bytes')), 'at risk'],
    [sum('pending') > 0 ? age(oldest) : '–', 'oldest not durable'],
    [up + ' of ' + nodes.length, 'nodes up'],
    [stats.durable_p99_ms ? stats.durable_p99_ms.toFixed(1) + ' ms' : '–', 'commit → durable, p99'],
  ];
  byId('tiles').replaceChildren(
    ...tiles.map(([value, label]) => el('div', 'tile', el('b', '', value), el('span', '', label))));
}

const words = { safe: 'safe', busy: 'on the way', danger: 'not safe' };

function showCollections(collections) {
  const cards = collections.map((c) => {
    const kind = gravity(c);
    const pairs = [
      ['Durable', count(c.durable) + ' of ' + count(c.known)],
      ['Not durable yet', count(c.pending) + (c.pending ? ' · ' + bytes(c.pending_bytes) : '')],
    ];
    if (c.pending > 0) {
      pairs.push(['Oldest', age(c.oldest_pending_age_s) + ' (target ' + age(c.freshness_target_s) + ')']);
    }
    if (c.open_units > 0) pairs.push(['Still being written', count(c.open_units)]);
    pairs.push(['Proved', c.last_proof_age_s === null ? 'not yet' : age(c.last_proof_age_s) + ' ago']);
    return el('article', 'card ' + kind,
      el('div', 'card-head', el('h3', '', c.name), el('span', 'kind', c.kind),
        el('span', 'pill ' + kind, words[kind])),
      meter(c.known > 0 ? percent(c.durable, c.known) : 100, kind, 'durable'),
      facts(pairs),
      c.why ? el('p', 'why', c.why) : null,
      ...c.problems.map((problem) => el('p', 'problem', problem)));
  });
  byId('collections').replaceChildren(
    ...(cards.length ? cards : [el('div', 'empty', 'No collection is declared on this node.')]));
}

function showNodes(nodes) {
  byId('nodes').replaceChildren(...nodes.map((n) => {
    const kind = stateGravity[n.state] || '';
    const disk = el('td', '', n.disk_used_percent === null ? '–' : Math.round(n.disk_used_percent) + ' %');
    if (n.disk_used_percent !== null) {
      const full = n.disk_used_percent >= 85 ? 'danger' : n.disk_used_percent >= 70 ? 'busy' : '';
      disk.append(n.disk_free_bytes === null ? '' : ' · ' + bytes(n.disk_free_bytes) + ' free',
        meter(n.disk_used_percent, full, 'disk used'));
    }
    const roles = el('td', '', ...n.roles.map((role) => el('span', 'tag', role)));
    if (n.is_ephemeral) roles.append(el('span', 'tag', 'spot'));
    return el('tr', '',
      el('td', '', el('b', '', n.id), el('div', 'dim', n.address)),
      el('td', '', el('span', 'dot ' + kind), n.state,
        ...n.open_circuits.map((circuit) => el('p', 'problem', circuit))),
      roles, disk,
      el('td', '', n.domain || '–', el('div', 'dim', n.provider)),
      el('td', '', n.last_heard_age_s === null ? '–' : age(n.last_heard_age_s)));
  }));
}

function showTransfers(transfers) {
  const order = { running: 0, verifying: 1, queued: 2, failed: 3, done: 4 };
  const rows = [...transfers].sort((a, b) => (order[a.state] ?? 5) - (order[b.state] ?? 5))
    .slice(0, 40).map((t) => {
      const kind = t.state === 'failed' ? 'danger' : t.state === 'done' ? '' : 'run';
      const amount = t.bytes_total ? bytes(t.bytes_done) + ' of ' + bytes(t.bytes_total) : '';
      const rate = t.state === 'running' ? bytes(t.rate_bytes_per_s) + '/s' : t.state;
      return el('div', 'row',
        el('div', 'row-head', el('b', '', t.object), el('span', 'dim', rate)),
        meter(percent(t.bytes_done, t.bytes_total), kind, 'transferred'),
        el('div', 'dim', [t.source + ' → ' + t.target, t.transport, amount, t.detail]
          .filter(Boolean).join(' · ')));
    });
  byId('transfers').replaceChildren(
    ...(rows.length ? rows : [el('div', 'empty', 'Nothing is being moved.')]));
}

function showEvent(event) {
  const list = byId('events');
  const time = el('time', '', clock(event.at_ms));
  time.title = new Date(event.at_ms).toISOString();
  const about = [event.type, event.collection, event.node].filter(Boolean).join(' · ');
  list.prepend(el('li', '', time, el('div', '', event.message || event.type, el('div', 'type', about))));
  while (list.children.length > 200) list.lastChild.remove();
}

function showLive(isLive) {
  byId('live').className = isLive ? 'live' : 'live off';
  byId('live').textContent = isLive ? 'live' : 'offline';
}
