// The stylesheet of the page, light and dark. A module of ours so that it is in every build.

export const STYLE = `:root {
  color-scheme: light dark;
  --back: #f5f6f8; --panel: #fff; --line: #dfe3ea; --text: #1b2230; --soft: #566075; --link: #1f4fc4;
  --accent: #2457d6; --on-accent: #fff; --good: #146c3f; --good-back: #e2f5ea; --bad: #b3261e; --bad-back: #fdeceb;
  --note: #7a5300; --note-back: #fdf1d8; --plain-back: #eceff4; --root-bar: #3f74e6; --other-bar: #a9bbdd; --fail-bar: #d5382f;
  --new: #e8f0ff; --shadow: 0 1px 2px rgb(20 30 50 / 6%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #10141c; --panel: #181e29; --line: #2b3444; --text: #e6eaf2; --soft: #9aa6bb; --link: #8fb2ff;
    --accent: #2f62d9; --good: #62d394; --good-back: #12301f; --bad: #ff8a80; --bad-back: #3a1816;
    --note: #f0c36a; --note-back: #33270d; --plain-back: #252d3b; --root-bar: #5e8df5; --other-bar: #46577a; --fail-bar: #ff6b60;
    --new: #1c2b4d; --shadow: none;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif; }
code, .number, time { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: .92em; }
p code, h1 code { overflow-wrap: anywhere; }
a { color: var(--link); text-underline-offset: 2px; }
a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible, summary:focus-visible, .scroll:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 2px;
}
.skip { position: absolute; left: -9999px; }
.skip:focus { left: 1rem; top: .5rem; background: var(--panel); padding: .4rem .8rem; z-index: 2; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.top { display: flex; align-items: center; gap: 1rem; padding: .6rem 1.25rem; background: var(--panel); border-bottom: 1px solid var(--line); }
.brand { display: flex; align-items: center; gap: .55rem; color: inherit; text-decoration: none; font-size: 1.05rem; white-space: nowrap; }
.store { color: var(--soft); margin-left: auto; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; font-size: .9em; }
main { max-width: 1280px; margin: 0 auto; padding: 1.1rem 1.25rem 3rem; display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
h1 { font-size: 1.35rem; margin: 0; } h1 small { font-weight: 400; color: var(--soft); font-size: .65em; }
h2 { font-size: 1rem; margin: 0; }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.15rem; box-shadow: var(--shadow); }
.panel > p:last-child { margin-bottom: 0; }
.button, button { display: inline-block; font: inherit; font-size: .92em; padding: .38rem .85rem; border-radius: 7px; border: 1px solid var(--accent);
  background: var(--accent); color: var(--on-accent); text-decoration: none; cursor: pointer; white-space: nowrap; }
.button.quiet { background: transparent; color: var(--link); border-color: var(--line); }
.button:hover, button:hover { filter: brightness(1.08); }
[hidden] { display: none !important; }
.figures { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)) minmax(0, 2.4fr); gap: 1rem; }
.figure { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: .75rem 1rem; box-shadow: var(--shadow); min-width: 0; }
.figure span { display: block; color: var(--soft); font-size: .85em; }
.figure b { font-size: 1.5rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.25; }
.figure.bad { border-color: var(--bad); background: var(--bad-back); } .figure.bad b, .figure.bad span { color: var(--bad); }
.figure.good b { color: var(--good); }
.figure.wide b { margin-right: .6rem; } .figure.wide small { color: var(--soft); }
.figure.wide code { display: block; overflow: hidden; text-overflow: ellipsis; color: var(--soft); }
.filter { display: grid; grid-template-columns: repeat(auto-fill, minmax(128px, 1fr)); gap: .7rem .8rem; align-items: end; margin-top: .6rem; }
label { display: block; font-size: .85em; color: var(--soft); }
input, select { display: block; width: 100%; margin-top: .2rem; font: inherit; font-size: 15px; color: var(--text); background: var(--back);
  border: 1px solid var(--line); border-radius: 7px; padding: .4rem .6rem; height: 2.3rem; }
::placeholder { color: var(--soft); opacity: .8; }
.actions { display: flex; gap: .5rem; align-items: center; }
.actions > * { height: 2.3rem; display: inline-flex; align-items: center; }
.presets { margin: .7rem 0 0; font-size: .9em; display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
.mistake { background: var(--bad-back); color: var(--bad); border-radius: 7px; padding: .5rem .8rem; margin: .6rem 0 0; }
.timeline { display: grid; grid-template-columns: 1fr auto; gap: .5rem 1rem; align-items: center; }
.timeline > svg, .timeline > .axis, .timeline > details { grid-column: 1 / -1; }
.timeline svg { width: 100%; height: 120px; display: block; border-bottom: 1px solid var(--line); }
.timeline rect.roots { fill: var(--root-bar); } .timeline rect.others { fill: var(--other-bar); } .timeline rect.failures { fill: var(--fail-bar); }
.timeline rect.hover { fill: transparent; } .timeline a:hover rect.hover { fill: var(--plain-back); }
progress { width: min(100%, 24rem); height: 1rem; vertical-align: middle; accent-color: var(--accent); }
.key { display: flex; gap: .6rem; align-items: end; flex-wrap: wrap; margin-top: .8rem; } .key label { flex: 0 1 20rem; } button.quiet { background: transparent; color: var(--link); border-color: var(--line); height: 2.3rem; }
.checks div { grid-template-columns: 14rem minmax(0, 1fr); } .checks div:target { background: var(--new); } .checks dd { font-family: inherit; }
.timeline rect.mark { fill: var(--fail-bar); }
.legend { display: flex; gap: 1rem; list-style: none; margin: 0; padding: 0; font-size: .85em; color: var(--soft); flex-wrap: wrap; }
.legend li::before { content: ''; display: inline-block; width: .7em; height: .7em; border-radius: 2px; margin-right: .4em; }
.legend .roots::before { background: var(--root-bar); } .legend .others::before { background: var(--other-bar); } .legend .failures::before { background: var(--fail-bar); }
.axis { display: flex; justify-content: space-between; color: var(--soft); font-size: .82em; }
details summary { cursor: pointer; color: var(--soft); font-size: .88em; }
.bar { display: flex; align-items: center; gap: .8rem; flex-wrap: wrap; margin-bottom: .7rem; }
.exports { margin-left: auto; color: var(--soft); font-size: .9em; } .exports a { margin-left: .5rem; }
#live[aria-pressed='true'] { background: var(--fail-bar); border-color: var(--fail-bar); }
#live-state { color: var(--soft); font-size: .9em; }
.scroll { overflow-x: auto; margin: 0 -1.15rem; padding: 0 1.15rem; } .scroll.short { max-height: 20rem; overflow-y: auto; }
table { border-collapse: collapse; width: 100%; font-size: .93em; }
th { text-align: left; font-weight: 600;  color: var(--soft); font-size: .86em; padding: .35rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th.number { font-family: inherit; font-size: .86em; }
td { padding: .42rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:hover { background: var(--plain-back); } tbody tr.new { background: var(--new); } tbody tr.bad td:first-child { box-shadow: inset 3px 0 var(--fail-bar); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } .nowrap { white-space: nowrap; }
.what { min-width: 14rem; overflow-wrap: anywhere; } .what code { color: var(--bad); }
.badge { display: inline-block; padding: .05rem .5rem; border-radius: 99px; font-size: .85em; white-space: nowrap; font-weight: 550; }
h1 .badge { font-size: .6em; vertical-align: .2em; }
.badge.good { color: var(--good); background: var(--good-back); } .badge.bad { color: var(--bad); background: var(--bad-back); }
.badge.note { color: var(--note); background: var(--note-back); } .badge.plain { color: var(--soft); background: var(--plain-back); }
.empty { color: var(--soft); text-align: center; padding: 1rem; }
.pager { display: flex; gap: .6rem; justify-content: flex-end; margin-top: .9rem; }
.crumbs { font-size: .9em; color: var(--soft); }
.detail { margin: 0; padding: .7rem 1rem; background: var(--panel); border: 1px solid var(--line); border-left: 4px solid var(--fail-bar); border-radius: 7px; overflow-wrap: anywhere; }
.detail.plain, .detail.good { border-left-color: var(--other-bar); }
.witnessed { margin: .5rem 0; overflow-wrap: anywhere; }
.heads h2 { margin: 0 0 .6rem; } .heads > ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); }
.head h3 { margin: 0; font-size: 1rem; overflow-wrap: anywhere; } .head h3 small { color: var(--soft); font-weight: 400; }
.head.alarm { border: 2px solid var(--bad); } .head .verdict { margin: .6rem 0; overflow-wrap: anywhere; }
.head dl div { grid-template-columns: 5.8rem minmax(0, 1fr); } .head dd { font-family: inherit; font-size: .95em; } .head dd code { color: var(--soft); } .head dd .origin { display: block; padding: 0; border: 0; }
.head dd p { margin: .2rem 0 0; } .soft { color: var(--soft); } .ok { color: var(--good); } .broken, span.bad { color: var(--bad); font-weight: 600; }
.witnesses { list-style: none; margin: .2rem 0 0; padding: 0; font-size: .93em; } .witnesses .good { color: var(--good); } .witnesses .note { color: var(--note); } .witnesses .bad { color: var(--bad); font-weight: 600; }
.chain { list-style: none; margin: .7rem 0 0; padding: 0; display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1.6rem; }
.chain li { position: relative; border: 1px solid var(--line); border-radius: 8px; padding: .6rem .8rem; min-width: 0; }
.chain li.here { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
.chain li + li::before { content: '→'; position: absolute; left: -1.35rem; top: 50%; transform: translateY(-50%); color: var(--soft); }
.chain span:first-child { color: var(--soft); font-size: .85em; display: block; } .chain code { display: block; overflow-wrap: anywhere; margin-top: .3rem; }
.chain p { margin: .35rem 0 0; font-size: .88em; color: var(--soft); } .chain .ok { color: var(--good); } .chain .broken { color: var(--bad); font-weight: 600; }
.verdict { border-radius: 7px; padding: .55rem .8rem; margin: 0 0 .5rem; } .verdict.bad { background: var(--bad-back); color: var(--bad); } .verdict.note { background: var(--note-back); color: var(--note); }
dl { margin: .4rem 0 0; } dl div { display: grid; grid-template-columns: 9.5rem minmax(0, 1fr); gap: .8rem; padding: .35rem 0; border-top: 1px solid var(--line); }
dl div:first-child { border-top: 0; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: .92em; }
.panel .bar .button { margin-left: auto; }
.login { display: flex; gap: .8rem; align-items: end; max-width: 32rem; } .login label { flex: 1; } .login button { height: 2.3rem; }
@media (max-width: 900px) { .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); } .figure.wide { grid-column: 1 / -1; } .chain { grid-template-columns: 1fr; } .chain li + li::before { content: '↓'; left: 50%; top: -1.5rem; transform: none; } }
@media (max-width: 560px) {
  .cards, .cards tbody { display: block; } .cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .cards tr { display: flex; flex-wrap: wrap; gap: .1rem .9rem; border: 1px solid var(--line); border-radius: 8px; padding: .5rem .7rem; margin-bottom: .6rem; }
  .cards tr.bad { border-color: var(--bad); } .cards tbody tr.bad td:first-child { box-shadow: none; }
  .cards td { border: 0; padding: .1rem 0; text-align: left; white-space: normal; min-width: 0; overflow-wrap: anywhere; } .cards td.what { flex-basis: 100%; } .cards td.nowrap { white-space: nowrap; }
  .cards td::before { content: attr(data-label) '\\00a0'; color: var(--soft); font-size: .85em; font-family: system-ui, sans-serif; }
  .checks div { grid-template-columns: 1fr; } .head dl div { grid-template-columns: 1fr; } .figures { gap: .6rem; } .bar { gap: .5rem; } .exports { margin-left: 0; }
}
@media (max-width: 560px) { .store { display: none; } .top { justify-content: space-between; } dl div { grid-template-columns: 1fr; gap: 0; } main { padding: .8rem; } .timeline { grid-template-columns: minmax(0, 1fr); } }
`;
