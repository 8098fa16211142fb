// The script of the page: the live tail, the one thing that needs it. A module of ours so that it is in every build.

export const SCRIPT = `'use strict';
const button = document.getElementById('live');
const state = document.getElementById('live-state');
const body = document.querySelector('#rows tbody');
const MAX_ROWS = 500;
let source = null;
let count = 0;
let after = null;

function say(text) {
  state.textContent = text;
}

function start() {
  const url = new URL(button.dataset.events, location.href);
  if (after) url.searchParams.set('after', after);
  source = new EventSource(url);
  source.onopen = () => say(count === 0 ? 'waiting for new rows' : count + ' new');
  source.onerror = () => say(source.readyState === EventSource.CLOSED ? 'not connected' : 'connecting again …');
  source.addEventListener('row', (event) => {
    after = event.lastEventId;
    const holder = document.createElement('template');
    holder.innerHTML = event.data;
    const row = holder.content.querySelector('tr');
    row.classList.add('new');
    body.prepend(row);
    while (body.rows.length > MAX_ROWS) body.lastElementChild.remove();
    count += 1;
    say(count + ' new');
  });
  source.addEventListener('figures', (event) => {
    const { isBad, ...figures } = JSON.parse(event.data);
    for (const place of document.querySelectorAll('[data-figure]')) place.textContent = figures[place.dataset.figure];
    const failures = document.querySelector('[data-failures]');
    failures.classList.toggle('bad', isBad);
    failures.classList.toggle('good', !isBad);
  });
  button.setAttribute('aria-pressed', 'true');
}

function stop() {
  source.close();
  source = null;
  say('paused');
  button.setAttribute('aria-pressed', 'false');
}

if (button && body) {
  button.hidden = false;
  button.addEventListener('click', () => (source ? stop() : start()));
}
`;
