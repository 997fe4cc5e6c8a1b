/** For tests: elements meet their children complete, as they do when a script loads after the page. */
export function attach(html: string): void {
  const box = document.createElement("div");
  box.innerHTML = html;
  document.body.replaceChildren(box);
}
