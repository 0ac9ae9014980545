// Groups of boxes: gradio writes words above them, but names none of them for screen readers.
const name = () => {
  for (const group of document.querySelectorAll('fieldset:not([aria-label])')) {
    const words = group.querySelector('[data-testid=block-info]')?.textContent.trim();
    if (words) group.setAttribute('aria-label', words);
  }
};

name();
new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
