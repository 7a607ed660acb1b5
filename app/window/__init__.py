"""The app's own side of the window: menus, shortcuts, layout, and what panels may ask the app to do."""
