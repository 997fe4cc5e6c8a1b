import { html, LitElement, nothing, type TemplateResult } from "lit";
import { isTyping } from "../typing";
import { say } from "../words";

export interface Hit {
  title: string;
  url: string;
  kind: string;
  icon: string;
  detail: string;
}

const WAIT_MS = 120;

/** The command palette: ⌘K, Ctrl-K or /. Asks the server (POST, so that names stay out of logs) and walks by arrows. */
class HyPalette extends LitElement {
  static override properties = { hits: { state: true }, at: { state: true }, busy: { state: true } };
  declare hits: Hit[];
  declare at: number;
  declare busy: boolean;
  #timer = 0;
  #asked = 0;

  constructor() {
    super();
    this.hits = [];
    this.at = 0;
    this.busy = false;
  }

  /** Light DOM: the page's styles apply. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.#shortcut);
    document.addEventListener("click", this.#opener);
  }

  override disconnectedCallback(): void {
    document.removeEventListener("keydown", this.#shortcut);
    document.removeEventListener("click", this.#opener);
    super.disconnectedCallback();
  }

  #shortcut = (event: KeyboardEvent): void => {
    const chord = (event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k";
    if (chord || (event.key === "/" && !isTyping(event.target) && !event.isComposing)) {
      event.preventDefault();
      void this.open();
    }
  };

  #opener = (event: Event): void => {
    if ((event.target as Element).closest("[data-open-palette]")) void this.open();
  };

  async open(): Promise<void> {
    await this.updateComplete;
    const dialog = this.querySelector("dialog");
    if (!dialog || dialog.open) return;
    dialog.showModal();
    this.querySelector<HTMLInputElement>("input")?.select();
    await this.#ask("");
  }

  #typed(event: Event): void {
    const text = (event.target as HTMLInputElement).value;
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#ask(text), WAIT_MS);
  }

  async #ask(text: string): Promise<void> {
    const turn = ++this.#asked;
    this.busy = true;
    const hits = await this.#fetchHits(text).catch(() => [] as Hit[]);
    if (turn !== this.#asked) return; // a later keystroke has its own answer under way
    this.busy = false;
    this.hits = hits;
    this.at = 0;
  }

  async #fetchHits(text: string): Promise<Hit[]> {
    const token = document.body.getAttribute("hx-headers:inherited") ?? "{}";
    const response = await fetch(this.dataset.url ?? "", {
      method: "POST",
      headers: JSON.parse(token) as Record<string, string>,
      body: new URLSearchParams({ q: text }),
    });
    if (!response.ok) return [];
    return ((await response.json()) as { hits: Hit[] }).hits;
  }

  #key(event: KeyboardEvent): void {
    if (event.isComposing) return; // the pinyin of an unfinished word
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.hits.length) {
      event.preventDefault();
      this.at = (this.at + step + this.hits.length) % this.hits.length;
      void this.updateComplete.then(() =>
        this.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }),
      );
    } else if (event.key === "Escape") {
      event.preventDefault(); // a search field would only clear itself
      this.querySelector("dialog")?.close();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const hit = this.hits[this.at];
      if (hit) location.assign(hit.url);
    }
  }

  protected override render(): TemplateResult {
    const label = say(
      "搜索联系人、邮件、营销活动，或输入要去的页面",
      "Search contacts, mails, campaigns, or jump to a page",
    );
    return html`<dialog class="palette" aria-label=${label} @click=${this.#backdrop}>
      <input
        type="search" class="palette-input" placeholder=${label} aria-label=${label} autocomplete="off" spellcheck="false"
        role="combobox" aria-expanded="true" aria-controls="palette-hits" aria-autocomplete="list"
        aria-activedescendant=${this.hits.length ? `palette-${this.at}` : nothing}
        @input=${this.#typed} @keydown=${this.#key} />
      <ul id="palette-hits" class="palette-hits" role="listbox" aria-label=${say("结果", "Results")} aria-busy=${this.busy}>
        ${this.hits.map((hit, index) => this.#row(hit, index))}
      </ul>
      ${this.hits.length || this.busy ? nothing : html`<p class="palette-none">${say("没有找到", "Nothing found")}</p>`}
    </dialog>`;
  }

  #row(hit: Hit, index: number): TemplateResult {
    const chosen = index === this.at;
    return html`<li id="palette-${index}" role="option" aria-selected=${chosen} class="palette-hit"
      @click=${() => location.assign(hit.url)} @mousemove=${() => (this.at = index)}>
      <span class="palette-kind">${hit.kind}</span>
      <span class="truncate">${hit.title}</span>
      ${hit.detail ? html`<span class="palette-detail truncate">${hit.detail}</span>` : nothing}
    </li>`;
  }

  #backdrop(event: Event): void {
    if (event.target === this.querySelector("dialog")) this.querySelector("dialog")?.close();
  }
}

if (!customElements.get("hy-palette")) customElements.define("hy-palette", HyPalette);
