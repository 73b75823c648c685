/** The report's style sheet. */
export const style = `
:root { color-scheme: light dark; --page: #fff; --text: #1b1f24; --quiet: #59636e; --line: #d1d9e0; --panel: #f6f8fa;
  --done: #1a7f37; --hit: #0969da; --failed: #cf222e; --stopped: #9a6700; --link: #0550ae; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --text: #e6edf3; --quiet: #9198a1; --line: #3d444d;
  --panel: #161b22; --done: #3fb950; --hit: #58a6ff; --failed: #f85149; --stopped: #d29922; --link: #79c0ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 80rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
a { color: var(--link); }
:focus-visible, tr:target { outline: 2px solid var(--hit); outline-offset: 1px; }
code, pre { font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
pre { margin: .25rem 0; padding: .6rem; background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
  max-height: 30rem; overflow: auto; }
small, .why, .differs, caption { color: var(--quiet); }
small { margin-left: .75rem; }
.why, .differs { margin: .1rem 0; font-size: 13px; }
.differs { display: grid; grid-template-columns: max-content 1fr; gap: 0 .75rem; }
.differs dd { margin: 0; }
.totals { display: flex; flex-wrap: wrap; gap: .75rem 2rem; margin: 0; }
.totals dt { color: var(--quiet); font-size: 13px; }
.totals dd { margin: 0; font-weight: 600; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.25rem; }
caption { text-align: left; padding: .25rem 0; }
caption strong { color: var(--text); }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-top: 1px solid var(--line); }
th { font-size: 13px; color: var(--quiet); font-weight: 500; border-top: 0; }
.number { text-align: right; white-space: nowrap; }
.steps th:nth-child(2), .steps th:nth-child(3), .steps th:nth-child(4) { width: 6.5rem; }
.layers td:first-child code { white-space: nowrap; }
.layers th:nth-child(4) { width: 35%; }
.files { margin: .25rem 0; }
.files td { border: 0; padding: .05rem .5rem .05rem 0; }
.layers td.size { width: 20%; min-width: 5rem; }
.layers svg { display: block; width: 100%; height: .9rem; margin-top: .3rem; }
.layers rect { fill: var(--hit); }
summary { cursor: pointer; color: var(--quiet); font-size: 13px; }
.state { font-size: 13px; font-weight: 600; white-space: nowrap; }
.state.done { color: var(--done); } .state.hit { color: var(--hit); }
.state.failed { color: var(--failed); } .state.stopped { color: var(--stopped); }
rect.done, rect.running { fill: var(--done); } rect.hit { fill: var(--hit); }
rect.failed { fill: var(--failed); } rect.stopped { fill: var(--stopped); }
.timeline { display: grid; grid-template-columns: minmax(4rem, max-content) 1fr; gap: .35rem .75rem; align-items: center; }
.timeline .name { max-width: 14rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.timeline svg { width: 100%; height: 1.5rem; background: var(--panel); border-radius: 3px; }
.timeline rect { stroke: var(--page); stroke-width: 1px; vector-effect: non-scaling-stroke; }
.timeline a:hover rect, .timeline a:focus-visible rect { opacity: .7; }
.axis { display: flex; justify-content: space-between; color: var(--quiet); font-size: 12px; }
.legend { display: flex; gap: 1.25rem; margin: .5rem 0; }
.legend .state::before { content: ""; display: inline-block; width: .7em; height: .7em; margin-right: .4em; background: currentColor; }
.failure { border: 1px solid var(--failed); border-radius: 6px; padding: 0 1rem .75rem; margin-top: 1.5rem; }
.failure h2 { margin-top: .75rem; color: var(--failed); }
.find { display: block; width: 100%; max-width: 30rem; padding: .4rem .6rem; font: inherit; color: inherit;
  background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media (max-width: 40rem) { body { padding: .75rem; } .layers td.size, .layers th:nth-child(3) { display: none; } }
@media print { pre { max-height: none; } .find { display: none; } }
`

/** What the page can do besides, where scripts run: find steps. `/` goes to the field, Escape empties it. */
export const script = `
'use strict';
const heading = document.getElementById('steps');
if (heading) {
  const find = document.createElement('input');
  find.type = 'search'; find.className = 'find'; find.placeholder = 'Find steps (press /)';
  find.setAttribute('aria-label', 'Find steps');
  heading.after(find);
  const rows = [...document.querySelectorAll('table.steps tbody tr')];
  const show = () => {
    const words = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
    for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
    for (const table of document.querySelectorAll('table.steps'))
      table.hidden = !table.querySelector('tbody tr:not([hidden])');
  };
  find.addEventListener('input', show);
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && document.activeElement !== find) { event.preventDefault(); find.focus(); }
    if (event.key === 'Escape' && document.activeElement === find) { find.value = ''; show(); find.blur(); }
  });
  // A bar of the timeline leads to its step, found or not.
  addEventListener('hashchange', () => { find.value = ''; show(); document.querySelector(':target')?.scrollIntoView(); });
}
`
