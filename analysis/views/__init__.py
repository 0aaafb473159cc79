"""Turns results into what a visitor sees: HTML, images and sentences. No web framework in here."""
