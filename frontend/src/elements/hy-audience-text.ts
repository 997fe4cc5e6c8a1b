/**
 * The audience as one line of text, beside the builder: shows what is built, takes what is typed.
 *
 *   <hy-audience-text data-read="…" data-inside="…" .text=${text} ?stale=${false}></hy-audience-text>
 *
 * Sends a "text:tree" event with detail {tree} when the text means an audience; what it cannot read, it marks at its words.
 */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { cut, type TextProblem } from "../audience/marks";
import { Server } from "../audience/server";
import { say } from "../words";

const WAIT_MS = 400;
const OPEN = "hongyan-audience-text"; // whoever writes text wants it open on the next page too

class HyAudienceText extends LitElement {
  static override properties = {
    text: { attribute: false },
    stale: { attribute: false },
    problems: { state: true },
    busy: { state: true },
  };
  declare text: string;
  declare stale: boolean;
  declare problems: TextProblem[];
  declare busy: boolean;
  #server = new Server(this);
  #typed = "";
  #timer = 0;
  #request: AbortController | null = null;

  constructor() {
    super();
    this.text = "";
    this.stale = this.busy = false;
    this.problems = [];
  }

  protected override createRenderRoot(): HTMLElement {
    return this; // the page's own styles dress it
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#request?.abort();
    window.clearTimeout(this.#timer);
  }

  /** What is built appears here, but never under the hands of somebody typing. */
  protected override willUpdate(changes: PropertyValues<this>): void {
    const area = this.querySelector("textarea");
    if (!changes.has("text") || (area && area === document.activeElement)) return;
    this.#typed = this.text;
    this.problems = [];
  }

  protected override render(): TemplateResult {
    const wrong = this.problems.length > 0;
    return html`<details class="ab-text-form" ?open=${localStorage.getItem(OPEN) === "1"} @toggle=${(event: Event) => this.#toggled(event)}>
      <summary>${say("以文字编写", "As text")}</summary>
      <div class="ab-text-box ${this.stale && !wrong ? "ab-stale" : ""}">
        <div class="ab-text-back mono" aria-hidden="true">${cut(this.#typed, this.problems).map((piece) =>
          piece.wrong ? html`<mark>${piece.text || " "}</mark>` : piece.text,
        )}${"\n"}</div>
        <textarea rows="3" spellcheck="false" autocapitalize="off" autocomplete="off" class="mono" .value=${this.#typed}
          aria-label=${say("受众的文字写法", "The audience as text")} aria-invalid=${wrong ? "true" : "false"} aria-describedby="ab-text-problems"
          placeholder=${'city = "上海" and did("email_opened") >= 3 in 90d'}
          @input=${(event: Event) => this.#input((event.target as HTMLTextAreaElement).value)}></textarea>
      </div>
      <div id="ab-text-problems" role=${wrong ? "alert" : nothing}>${this.problems.map(
        (problem) => html`<p class="ab-wrong"><button type="button" class="ab-goto" @click=${() => this.#show(problem)}>${this.#words(problem)}</button> ${problem.message}</p>`,
      )}</div>
      <p class="muted small">${
        this.busy
          ? say("正在读取…", "Reading…")
          : say("与上面的条件是同一回事：改哪一边，另一边随之改变。可以复制、保存、做版本管理。", "The same as the conditions above: change either, the other follows. It can be copied, kept and versioned.")
      }</p>
    </details>`;
  }

  #toggled(event: Event): void {
    localStorage.setItem(OPEN, (event.target as HTMLDetailsElement).open ? "1" : "0");
  }

  #words(problem: TextProblem): string {
    const words = Array.from(this.#typed).slice(problem.start, problem.end).join("");
    return words ? `“${words.length > 40 ? `${words.slice(0, 40)}…` : words}”` : say("此处", "Here");
  }

  #show(problem: TextProblem): void {
    const area = this.querySelector("textarea");
    const units = (end: number) => Array.from(this.#typed).slice(0, end).join("").length;
    area?.focus();
    area?.setSelectionRange(units(problem.start), units(problem.end));
  }

  #input(text: string): void {
    this.#typed = text;
    this.problems = [];
    this.busy = true;
    window.clearTimeout(this.#timer);
    this.#request?.abort();
    this.#timer = window.setTimeout(() => void this.#ask(text), WAIT_MS);
    this.dispatchEvent(new CustomEvent("text:typing"));
    this.requestUpdate();
  }

  async #ask(text: string): Promise<void> {
    const request = new AbortController();
    this.#request = request;
    try {
      const { tree, problems } = await this.#server.read(text, request.signal);
      this.problems = problems;
      if (tree) this.dispatchEvent(new CustomEvent("text:tree", { detail: { tree } }));
      else this.dispatchEvent(new CustomEvent("text:wrong"));
    } catch {
      if (request.signal.aborted) return; // newer words are on their way
      const message = say("暂时无法读取，请稍后再试。", "It could not be read right now. Please try again.");
      this.problems = [{ start: 0, end: 0, message }];
    }
    this.busy = false;
  }
}

if (!customElements.get("hy-audience-text")) customElements.define("hy-audience-text", HyAudienceText);
