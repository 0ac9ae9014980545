// Pictures of a comparison: a click shows one at full size, in a dialog that Escape closes.
element.addEventListener('click', (event) => {
  const dialog = element.querySelector('dialog');
  const picture = event.target.closest('.tr-zoom')?.querySelector('img');
  if (picture) {
    const large = dialog.querySelector('img');
    large.src = picture.src;
    large.alt = picture.alt;
    dialog.showModal();
  } else if (event.target.closest('dialog')) {
    dialog.close();
  }
});
