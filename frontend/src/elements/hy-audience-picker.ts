/**
 * A button that opens a searchable list of named things; sends "pick" with detail {value}.
 *
 *   <hy-audience-picker .options=${[{value, label, group}]} .label=${"Event"} .value=${"email_opened"}></hy-audience-picker>
 *
 * Without a value the button shows `say`. Arrows walk, Enter takes, Escape closes.
 */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { fitting, stepped } from "../audience/listbox";
import { optionId, optionsView, showOption } from "../audience/views/options";
import type { Named } from "../audience/vocabulary";
import { say } from "../words";

const PANEL_PX = 400; // the list and its search field at their tallest
let made = 0;

class HyAudiencePicker extends LitElement {
  static override properties = {
    options: { attribute: false },
    label: { attribute: false },
    value: { attribute: false },
    say: { attribute: false },
    wrong: { attribute: false },
    open: { state: true },
    up: { state: true },
    text: { state: true },
    at: { state: true },
  };
  declare options: Named[];
  declare label: string;
  declare value: string;
  declare say: string;
  declare wrong: boolean;
  declare open: boolean;
  declare up: boolean;
  declare text: string;
  declare at: number;
  #list = `ab-pick-${++made}`;

  constructor() {
    super();
    this.options = [];
    this.label = this.value = this.say = this.text = "";
    this.wrong = this.open = this.up = false;
    this.at = 0;
  }

  protected override createRenderRoot(): HTMLElement {
    return this; // the page's own styles dress it
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("pointerdown", this.#outside);
  }

  override disconnectedCallback(): void {
    document.removeEventListener("pointerdown", this.#outside);
    super.disconnectedCallback();
  }

  override focus(): void {
    void this.updateComplete.then(() => this.querySelector("button")?.focus());
  }

  #outside = (event: Event): void => {
    if (this.open && !this.contains(event.target as Node)) this.open = false;
  };

  protected override render(): TemplateResult {
    const chosen = this.options.find((option) => option.value === this.value);
    const shown = chosen?.label ?? (this.value ? `${this.value} ?` : this.say);
    return html`<button type="button" class="ab-pick ${this.value ? "" : "ab-pick-add"}" aria-haspopup="listbox" aria-expanded=${this.open}
        aria-label=${this.value ? `${this.label}${say("：", ": ")}${shown}` : this.label} aria-invalid=${this.wrong ? "true" : "false"}
        @click=${() => this.#toggle()} @keydown=${(event: KeyboardEvent) => this.#opening(event)}>${shown}</button>
      ${this.open ? this.#panel() : nothing}`;
  }

  #panel(): TemplateResult {
    const options = fitting(this.options, this.text);
    return html`<div class="ab-panel ${this.up ? "ab-panel-up" : ""}" @focusout=${(event: FocusEvent) => this.#left(event)}>
      <input type="text" class="ab-search" role="combobox" aria-expanded="true" aria-controls=${this.#list} aria-autocomplete="list"
        aria-activedescendant=${options.length > 0 ? optionId(this.#list, this.at) : nothing} aria-label="${this.label}${say("：搜索", ": search")}"
        placeholder=${say("搜索…", "Search…")} autocomplete="off" spellcheck="false" .value=${this.text}
        @input=${(event: Event) => this.#typed((event.target as HTMLInputElement).value)} @keydown=${(event: KeyboardEvent) => this.#key(event, options)}>
      ${
        options.length > 0
          ? optionsView(this.#list, this.label, options, this.at, this.value, (option) => this.#pick(option))
          : html`<p class="muted small ab-none" id=${this.#list}>${say("没有匹配项", "Nothing fits")}</p>`
      }
    </div>`;
  }

  #toggle(): void {
    const { top, bottom } = this.getBoundingClientRect();
    this.up = bottom + PANEL_PX > window.innerHeight && top > PANEL_PX;
    this.open = !this.open;
    this.text = "";
    this.at = Math.max(0, this.options.findIndex((option) => option.value === this.value));
  }

  #opening(event: KeyboardEvent): void {
    if (event.altKey || event.key !== "ArrowDown" || this.open) return;
    event.preventDefault();
    this.#toggle();
  }

  protected override updated(changes: PropertyValues<this>): void {
    if (changes.has("open") && this.open) this.querySelector<HTMLElement>(".ab-search")?.focus();
    if (this.open) showOption(this);
  }

  #typed(text: string): void {
    this.text = text;
    this.at = 0;
  }

  #key(event: KeyboardEvent, options: Named[]): void {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      const option = options[this.at];
      if (option) this.#pick(option);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.open = false;
      this.focus();
    } else {
      const next = stepped(this.at, options.length, event.key);
      if (next !== this.at) event.preventDefault();
      this.at = next;
    }
  }

  #left(event: FocusEvent): void {
    if (event.relatedTarget && !this.contains(event.relatedTarget as Node)) this.open = false;
  }

  #pick(option: Named): void {
    this.open = false;
    this.dispatchEvent(new CustomEvent("pick", { detail: { value: option.value } }));
    // Whoever heard it may send the focus on, to what is to be filled in next.
    const kept = () => document.activeElement === document.body || this.contains(document.activeElement);
    void this.updateComplete.then(() => requestAnimationFrame(() => kept() && this.focus()));
  }
}

if (!customElements.get("hy-audience-picker")) customElements.define("hy-audience-picker", HyAudiencePicker);
