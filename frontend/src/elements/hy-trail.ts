interface Trail {
  list: string;
  pages: string[];
}

/**
 * The way through a list: around the list it notes which pages it leads to, in their order, when one is opened
 * ([data-keep]); on such a page it offers the one before and after. Addresses hold ids only, and stay in this tab.
 */
class HyTrail extends HTMLElement {
  connectedCallback(): void {
    if (this.hasAttribute("data-keep")) this.addEventListener("click", this.#keep, true);
    else this.#show();
  }

  get #name(): string {
    return `hy-trail:${this.dataset.name ?? ""}`;
  }

  #keep = (event: Event): void => {
    if (!(event.target as Element).closest("a.row-title")) return;
    const pages = [...this.querySelectorAll<HTMLAnchorElement>("a.row-title")].map((link) => link.pathname);
    sessionStorage.setItem(this.#name, JSON.stringify({ list: location.pathname + location.search, pages }));
  };

  #show(): void {
    const trail = this.#read();
    const at = trail ? trail.pages.indexOf(location.pathname) : -1;
    if (!trail || at < 0 || trail.pages.length < 2) return;
    this.hidden = false;
    this.#point("[data-previous]", trail.pages[at - 1]);
    this.#point("[data-next]", trail.pages[at + 1]);
    const place = this.querySelector("[data-place]");
    if (place) place.textContent = `${String(at + 1)} / ${String(trail.pages.length)}`;
    const back = document.querySelector<HTMLAnchorElement>(".person-nav .page-back");
    if (back && trail.list.startsWith(back.pathname)) back.href = trail.list;
  }

  #read(): Trail | null {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.#name) ?? "null") as Trail | null;
      return kept && Array.isArray(kept.pages) && typeof kept.list === "string" ? kept : null;
    } catch {
      return null;
    }
  }

  #point(selector: string, page: string | undefined): void {
    const link = this.querySelector<HTMLAnchorElement>(selector);
    if (!link) return;
    if (page) link.href = page;
    else link.setAttribute("aria-disabled", "true");
  }
}

if (!customElements.get("hy-trail")) customElements.define("hy-trail", HyTrail);
