"""What comes from outside, for staff: reports of a suspected leak, questions about notices."""
