// Examples: a click on one takes it as the photograph.
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-example]');
  if (button) trigger('choose', { name: button.dataset.example });
});
