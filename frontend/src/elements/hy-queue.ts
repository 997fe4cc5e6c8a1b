import { isTyping } from "../typing";

/**
 * Keys for a queue page: j and k walk the list, e presses the item's main action ([data-main]), other letters whatever
 * says so ([data-key="m"]).
 * The list is links; each opens its item by an ordinary page or by htmx.
 */
class HyQueue extends HTMLElement {
  #listen = (event: KeyboardEvent) => this.#key(event);

  connectedCallback(): void {
    document.addEventListener("keydown", this.#listen);
  }

  disconnectedCallback(): void {
    document.removeEventListener("keydown", this.#listen);
  }

  #key(event: KeyboardEvent): void {
    if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
    if (event.repeat && !"jk".includes(event.key)) return; // a key held down must not decide about the next one too
    if (event.key === "e") this.querySelector<HTMLElement>("[data-main]")?.click();
    if (/^[a-z]$/.test(event.key)) this.querySelector<HTMLElement>(`[data-key="${event.key}"]`)?.click();
    const step = { j: 1, k: -1 }[event.key];
    if (!step) return;
    const items = [...this.querySelectorAll<HTMLElement>(".queue-item")];
    const now = items.findIndex((item) => item.hasAttribute("aria-current"));
    const next = items[Math.min(items.length - 1, Math.max(0, now + step))];
    if (!next || items.indexOf(next) === now) return;
    for (const item of items) item.removeAttribute("aria-current");
    next.setAttribute("aria-current", "true");
    next.focus();
    next.click();
  }
}

if (!customElements.get("hy-queue")) customElements.define("hy-queue", HyQueue);
