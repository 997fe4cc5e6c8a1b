import { isTyping } from "../typing";

/**
 * Keys of a person's page: every element with data-hotkey is reached by that key. Fields are focused, links and
 * buttons pressed. The capture phase, so that / searches here rather than everywhere.
 */
class HyPerson extends HTMLElement {
  #listen = (event: KeyboardEvent): void => this.#key(event);

  connectedCallback(): void {
    document.addEventListener("keydown", this.#listen, true);
  }

  disconnectedCallback(): void {
    document.removeEventListener("keydown", this.#listen, true);
  }

  #key(event: KeyboardEvent): void {
    if (event.metaKey || event.ctrlKey || event.altKey || event.isComposing || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const target = this.querySelector<HTMLElement>(`[data-hotkey="${CSS.escape(event.key)}"]`);
    if (!target || target.closest("[hidden]") || target.getAttribute("aria-disabled") === "true") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (target.matches("input, textarea, select")) target.focus();
    else target.click();
  }
}

if (!customElements.get("hy-person")) customElements.define("hy-person", HyPerson);
