/** The look of the trace page: system fonts, the system's light or dark, nothing loaded. */
export const TRACE_PAGE_STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1f2430, #d7dce5); --quiet: light-dark(#6b7280, #8b93a3);
  --rule: light-dark(#e4e7ec, #2b303b); --paper: light-dark(#fff, #14171d); --error: light-dark(#c62828, #ff7b72); }
body { margin: 2rem auto; max-width: 76rem; padding: 0 1.5rem; color: var(--ink); background: var(--paper);
  font: 14px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.25rem; } h2 { font: 600 13px/1.5 ui-monospace, monospace; margin: 2.5rem 0 .5rem; }
h2 small { color: var(--quiet); font-weight: 400; margin-left: 1ch; }
details, .lost { border-top: 1px solid var(--rule); }
summary, .lost { display: grid; grid-template-columns: minmax(0, 5fr) 4fr 5.5rem; gap: 1rem; padding: .3rem 0;
  align-items: center; cursor: pointer; list-style: none; }
.lost { cursor: default; color: var(--quiet); font-style: italic; }
.name { padding-left: calc(var(--depth) * 1.25rem); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.kind { font-size: 10px; letter-spacing: .06em; color: var(--tone); margin-right: .75ch; }
.notes { color: var(--quiet); margin-left: 1ch; font-size: 12px; }
.lane { position: relative; height: 10px; border-radius: 5px; background: var(--rule); overflow: hidden; }
.bar { position: absolute; inset-block: 0; min-width: 3px; border-radius: 5px; background: var(--tone); }
.took { text-align: right; font-variant-numeric: tabular-nums; color: var(--quiet); }
.failed bdi { color: var(--error); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .1rem 2ch; padding: .25rem 0 1rem;
  margin: 0 0 0 calc(var(--depth) * 1.25rem); font: 12px/1.6 ui-monospace, monospace; overflow-wrap: anywhere; }
dt { color: var(--quiet); } dd { margin: 0; white-space: pre-wrap; }
.INTERNAL, .UNSPECIFIED { --tone: #8b93a3; } .SERVER { --tone: #2e9e5b; } .CLIENT { --tone: #1c8fb8; }
.PRODUCER { --tone: #a855c9; } .CONSUMER { --tone: #d08b12; }
.failed.failed { --tone: var(--error); }
`;
