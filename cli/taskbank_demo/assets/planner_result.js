// Copies a command, and saves what the page shows: no file is made on the server.
const say = (button, words) => {
  const said = button.closest(".pl-away")?.querySelector(".pl-said");
  if (said) said.textContent = words;
};

const save = (name, text, kind) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: kind }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

const wholePicture = (part) => {
  const picture = part.querySelector("svg[data-whole]").cloneNode(true);
  const box = picture.dataset.whole.split(" ");
  picture.setAttribute("viewBox", picture.dataset.whole);
  picture.setAttribute("width", box[2]);
  picture.setAttribute("height", box[3]);
  return new XMLSerializer().serializeToString(picture);
};

element.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-save]");
  if (!button) return;
  if (button.dataset.save) {
    const svg = button.dataset.save.endsWith(".svg");
    const text = svg ? wholePicture(button.closest("section")) : button.dataset.text;
    const kinds = { svg: "image/svg+xml", csv: "text/csv", json: "application/json" };
    save(button.dataset.save, text, kinds[button.dataset.save.split(".").pop()]);
    return;
  }
  const command = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(command.textContent);
    say(button, "Copied.");
  } catch {
    getSelection().selectAllChildren(command);
    say(button, "Selected: press Ctrl+C.");
  }
});
