/**
 * Custom elements load when a page first has them: <hy-chart> fetches elements/hy-chart.ts and nothing else.
 * A new element is one file named after its tag; it defines itself. No registration.
 */
const files = import.meta.glob(["./elements/hy-*.ts", "!./elements/*.test.ts"]);
const asked = new Set<string>();

function load(root: ParentNode): void {
  for (const element of root.querySelectorAll(":not(:defined)")) ask(element.localName);
}

function ask(tag: string): void {
  if (!tag.startsWith("hy-") || asked.has(tag)) return;
  asked.add(tag);
  const fetchFile = files[`./elements/${tag}.ts`];
  if (fetchFile) void fetchFile();
  else console.error(`There is no frontend/src/elements/${tag}.ts`);
}

export function startElements(): void {
  load(document);
  new MutationObserver((changes) => {
    for (const change of changes)
      for (const node of change.addedNodes)
        if (node instanceof Element) {
          ask(node.localName);
          load(node);
        }
  }).observe(document.documentElement, { childList: true, subtree: true });
}
