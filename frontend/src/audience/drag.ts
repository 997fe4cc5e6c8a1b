/** Dragging a part by its handle onto the edge of another, or to the end of a group. Touch and keyboard use the menu. */

const KIND = "application/x-hongyan-part";

export class Dragging {
  #id: number | null = null;
  #over: Element | null = null;

  constructor(
    private readonly root: HTMLElement,
    private readonly drop: (id: number, into: number, index: number) => void,
  ) {
    root.addEventListener("dragstart", this.#start);
    root.addEventListener("dragover", this.#above);
    root.addEventListener("drop", this.#dropped);
    root.addEventListener("dragend", this.#end);
  }

  #start = (event: DragEvent): void => {
    const grip = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-grip]") : null;
    if (!grip || !event.dataTransfer) return;
    this.#id = Number(grip.dataset.grip);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData(KIND, String(this.#id));
    const card = this.root.querySelector(`[data-item="${this.#id}"]`);
    if (card) {
      event.dataTransfer.setDragImage(card, 12, 12);
      card.classList.add("ab-dragged");
    }
  };

  #above = (event: DragEvent): void => {
    const place = this.#id === null ? undefined : placeUnder(event);
    if (!place) return;
    event.preventDefault();
    this.#mark(place.element, place.after);
  };

  #dropped = (event: DragEvent): void => {
    const place = placeUnder(event);
    const id = this.#id;
    this.#end();
    if (id === null || !place) return;
    event.preventDefault();
    this.drop(id, place.into, place.index);
  };

  #end = (): void => {
    this.#id = null;
    this.#mark(null, false);
    for (const card of this.root.querySelectorAll(".ab-dragged")) card.classList.remove("ab-dragged");
  };

  #mark(element: Element | null, after: boolean): void {
    this.#over?.classList.remove("ab-drop-before", "ab-drop-after");
    this.#over = element;
    element?.classList.add(after ? "ab-drop-after" : "ab-drop-before");
  }
}

interface Place {
  element: Element;
  after: boolean;
  into: number;
  index: number;
}

function placeUnder(event: DragEvent): Place | undefined {
  const element = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-into]") : null;
  if (!element) return undefined;
  const box = element.getBoundingClientRect();
  const after = element.matches("li") && event.clientY > box.top + box.height / 2;
  return { element, after, into: Number(element.dataset.into), index: Number(element.dataset.index) + (after ? 1 : 0) };
}
